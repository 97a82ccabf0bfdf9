"""What goes wrong in a world: script errors become problems, and what a game must not miss leaves the tick."""

from __future__ import annotations

import re
import weakref
from collections import Counter
from typing import TYPE_CHECKING, Any

from engine.bus.events import text
from engine.errors import ScriptError
from engine.lua.failures import readable, script_error
from engine.problems import Problems
from engine.scripts import Scripts
from engine.sources import Version

if TYPE_CHECKING:
    from engine.world import World


_HANDLERS = {  # what is said of one that failed
    b"listens": "the handler goes on listening",
    b"heard": "the handler listens no more",
    b"answers": "who asked gets the error; the handler goes on answering",
}

# As Lua says it, and as LuaJIT does.
_NO_SELF = re.compile(r"attempt to index (?:a \w+ value \((\w+) 'self'\)|(\w+) 'self' \(a \w+ value\))$")


class Failures:
    """Records the problems of a world with what it knows of their place. A strict world raises each as well."""

    def __init__(self, world: World, scripts: Scripts) -> None:
        self._world: World = weakref.proxy(world)
        self._scripts = scripts
        self.raised: list[BaseException] = []
        self.problems = Problems(self.raised.append)

    def problem(
        self,
        message: str,
        *,
        script: str | None = None,
        line: int | None = None,
        entity: int | None = None,
        traceback: str = "",
        cause: BaseException | None = None,
        outcome: str = "",
        version: Version | None = None,
    ) -> None:
        """Record a problem; in a strict world it is also raised. `version` is the one that failed, if none runs it."""
        world, message = self._world, message + _way_out(message)
        found = world.entity(entity) if entity is not None else None
        if script is None and found is not None:
            script = self._scripts.chunk(found.script)
        elif script is not None and found is not None:
            script = world.population.sources.whole(found.script, script, version)
        source = ""
        if found is not None and script is not None and line is not None:
            source = world.population.sources.line(found.script, script, line, version)
        self.problems.record(
            message,
            frame=world.frame,
            script=script,
            line=line,
            entity=entity,
            traceback=traceback,
            source=source,
            outcome=outcome,
            save=version,
        )
        if world.strict:
            error = ScriptError(message, script=script, line=line, traceback=traceback)
            error.__cause__ = cause
            self.fail(error)

    def problem_of(
        self, error: ScriptError, entity: int | None, *, outcome: str = "", version: Version | None = None
    ) -> None:
        """Record a script error, with the exception of Python that caused it."""
        if self._world.host is not None:
            self._world.host.explain(error)
        self.problem(
            error.message,
            script=error.script,
            line=error.line,
            entity=entity,
            traceback=error.traceback,
            cause=error.__cause__,
            outcome=outcome,
            version=version,
        )

    def told(self, entity: int, message: bytes, trace: bytes, maker: Any, where: Any, role: Any) -> None:
        """Record what a state tells of an error in a hook, handler or task.

        It failed in `where`, in a task made at `maker`; a handler has a `role`. Each is false where there is none.
        """
        error = script_error(message, trace)
        notes = []
        if where:
            notes.append(f"in the handler of {text(where)!r}" if role else f"in {text(where)}")
        if maker:
            notes.append(f"in a task started at {text(maker)}")
            if error.line is None:  # a function that is none of the script's, as in task.delay(1, bus.emit)
                error.script, error.line = _place(text(maker))
        error.traceback = "\n".join([readable(error.traceback), *notes])
        self.problem_of(error, entity, outcome=_outcome(text(where) if where else "", role))

    def mend(self, script: str) -> None:
        """A new version of this script runs: its problems are over."""
        self.mend_file(self._scripts.chunk(script))

    def mend_file(self, place: str) -> None:
        """The same for any file that problems name ("scripts/mods/frost/mod.toml")."""
        self.problems.mend(place)

    def fail(self, error: BaseException) -> None:
        """Raise `error` out of this tick, when it is over."""
        self.raised.append(error)

    def raise_first(self) -> None:
        """Raise the first of what was to be raised; the others are notes on it."""
        if self.raised:
            first, *others = self.raised
            self.raised.clear()
            for told, times in Counter(f"{type(other).__name__}: {other}" for other in others).items():
                first.add_note(f"also in this frame: {told}{f' ({times} times)' if times > 1 else ''}")
            try:
                raise first
            finally:
                del first, others  # its traceback names this frame: both would live on, and the states of the tick


def _place(where: str) -> tuple[str | None, int | None]:
    """Script and line of "scripts/door.lua:12"."""
    script, _, line = where.rpartition(":")
    return (script, int(line)) if script and line.isdecimal() else (None, None)


def _way_out(message: str) -> str:
    """What Lua's own message does not tell: that there is a dot where a colon belongs."""
    found = _NO_SELF.search(message)
    if found is None:
        return ""
    if "global" in found.groups():
        return "; a function that uses self is written with a colon, function door:open()"
    return "; the function was called with a dot, write a colon, self:open()"


def _outcome(where: str, role: Any) -> str:
    """What becomes of an entity after an error in one of its hooks, handlers or tasks."""
    if role:
        return _HANDLERS[role]
    if where == "init":
        return "the entity did not start; saving its script tries again"
    if where in ("start", "on_reload"):
        return f"the rest of {where} was not done; saving the script tries again"
    if where in ("update", "fixed_update", "late_update"):
        return f"{where} is called again in the next frame"
    if where == "task.every":
        return "its function is called again when it is next due"
    return "" if where else "the task ended"
