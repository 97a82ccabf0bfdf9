"""What the prompt of `tidelock repl` does, apart from the prompt: commands, Lua in an entity, completion."""

from __future__ import annotations

import re
from collections.abc import Callable

from engine.annotations.registry import names
from engine.cli.console import say, show_problem
from engine.entity import Entity
from engine.errors import EngineError
from engine.testing.sim import fields_of
from engine.world import World

HELP = """Lua runs as a task of the entity: an expression shows its value, `wait(2)` waits.
  :use ID      go into another entity; a script's name means its first one
  :entities    all entities
  :fields      the fields of self
  :problems    the script errors that stand
  :quit        end (also Ctrl-D)"""

_WORD = re.compile(r"[A-Za-z_][\w.:]*$")
_KEYWORDS = ("and", "do", "else", "elseif", "end", "for", "function", "if", "in", "local", "nil", "not", "return")


class Session:
    """A person inside one entity of a running world."""

    def __init__(self, world: World, show: Callable[[str], None] = say) -> None:
        self.world = world
        self.over = False
        self.entity: Entity | None = next(iter(world.entities), None)
        self._show = show
        self._typed = 0
        self._commands: dict[str, Callable[[str], None]] = {
            "use": self._use,
            "entities": self._entities,
            "fields": self._fields,
            "problems": self._problems,
            "help": lambda _: self._show(HELP),
            "quit": self._quit,
        }

    @property
    def prompt(self) -> str:
        if self.entity is None or not self.entity.alive:
            return "(no entity)> "
        return f"{self.entity.script} {self.entity.id}> "

    def feed(self, line: str) -> None:
        """Do what was typed; Lua runs in the next frame."""
        line = line.strip()
        if line.startswith(":"):
            word, _, rest = line[1:].partition(" ")
            near = [name for name in self._commands if word and name.startswith(word)]
            command = self._commands[near[0]] if near else None
            if command is None:
                self._show(f"there is no command :{word}; :help lists them")
            else:
                command(rest.strip())
        elif line:
            self._run(line)

    def tell(self) -> None:
        """Show what was logged since the last call."""
        for line in self.world.log:
            typed = line.script.startswith("typed ")
            self._show(line.text if typed else f"{line.script}:{line.line}: {line.text}")
        self.world.log.clear()

    def complete(self, text: str) -> list[str]:
        """What the last word of `text` may become, whole words, sorted."""
        if text.startswith(":"):
            return [f":{name}" for name in sorted(self._commands) if f":{name}".startswith(text)]
        found = _WORD.search(text)
        word = found[0] if found else ""
        if not word:
            return []
        known = {name for name in names(self.world.lua) if name.count(".") == word.count(".")}
        known |= {*_KEYWORDS, "self"} | {f"self.{name}" for name in self._own_fields()}
        return sorted(name for name in known if name.startswith(word) and name != word)

    def _own_fields(self) -> list[str]:
        if self.entity is None or not self.entity.alive:
            return []
        try:
            return [name for name in fields_of(self.entity) if isinstance(name, str) and name.isidentifier()]
        except EngineError:
            return []

    def _run(self, text: str) -> None:
        entity = self.entity
        if entity is None or entity.actor is None:
            self._show("there is no entity to run this in; :entities lists those there are, :use ID goes into one")
            return
        self._typed += 1
        mail = (b"typed", entity.id, f"typed {self._typed}".encode(), text.encode(errors="surrogateescape"))
        self.world.delivery.boxes.put(entity.actor, mail)

    def _use(self, name: str) -> None:
        found = self.world.entity(int(name)) if name.isdecimal() else next(iter(self.world.find(name)), None)
        if found is None:
            self._show(f"there is no entity {name!r}; :entities lists those there are")
        else:
            self.entity = found

    def _entities(self, _: str) -> None:
        for entity in self.world.entities:
            place = "" if entity.position is None else f" at {entity.position[0]:.0f}, {entity.position[1]:.0f}"
            self._show(f"{entity.id:>5}  {entity.script}{place}")

    def _fields(self, _: str) -> None:
        self._run("self")

    def _problems(self, _: str) -> None:
        for problem in self.world.problems:
            show_problem(problem)
        if not self.world.problems:
            self._show("none")

    def _quit(self, _: str) -> None:
        self.over = True
