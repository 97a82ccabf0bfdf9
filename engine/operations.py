"""Carries out what states put into their outboxes: (operation, entity id, n, n values), one after the other."""

from __future__ import annotations

import logging
import marshal
import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple
from zlib import crc32

from engine.display import COMMANDS, FIELDS, Command, Commands, packed, unpacked
from engine.events import text
from engine.lua.actor import Actor
from engine.lua.failures import readable, script_error
from engine.payload import decode
from engine.report import shown
from engine.shared import no_room

if TYPE_CHECKING:
    from engine.entity import Entity
    from engine.world import World

_log = logging.getLogger("tidelock.script")
_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warn": logging.WARNING, "error": logging.ERROR}

_NAMES = (
    *("emit", "send", "request", "reply", "forget", "subscribe", "unsubscribe", "watch", "set"),
    *("spawn", "destroy", "tag", "script", "method", "ready", "late", "input", "look"),
    *("log", "at", "command", "problem", "paused", "dropped", "call", "uncall", "stopped", "over"),
)

MOST_TAGS = 1_000
MOST_LOST = 100
MOST_PLACES = 4  # named of those where an event may have been sent
"""Events of one tick that found no room and become problems."""
_COMMANDS = len(COMMANDS)
_MOST_TOLD = 64
_FAILURES = (b"problem", b"over")
_PLACES = (b"sheet", b"places", b"seats")

_HANDLERS = {  # what is said of one that failed
    b"listens": "the handler goes on listening",
    b"heard": "the handler listens no more",
    b"answers": "who asked gets the error; the handler goes on answering",
}

Values = tuple[Any, ...]

Operation = tuple[bytes, int, Values]
"""Its name, the entity, its values."""


class LogLine(NamedTuple):
    """One line that a script logged or printed."""

    level: str
    text: str
    entity: int
    script: str
    line: int


def each(flat: tuple[Any, ...], start: int) -> list[tuple[Any, int, Values]]:
    """The operations in a flat list: (name or number, entity id, values)."""
    found = []
    while start < len(flat):
        name = flat[start]
        if type(name) is int:
            name, entity, n = unpacked(name)
            start += 1
        else:
            entity, n = flat[start + 1 : start + 3]
            start += 3
        found.append((name, entity, flat[start : start + n]))
        start += n
    return found


def flattened(name: Any, entity: int, values: Values) -> Values:
    """One operation as it stands in a flat list."""
    if type(name) is int:
        return (packed(name, entity, len(values)), *values)
    return (name, entity, len(values), *values)


class Operations:
    """The operations of one world, by name."""

    def __init__(self, world: World) -> None:
        self._world: World = weakref.proxy(world)
        self._digest = 0
        self._told: list[Values] = []  # what the digest does not tell of yet
        self.commands = Commands()  # of this frame; between frames, of the next
        self._flat: tuple[Any, ...] = ()  # what is being carried out
        self._lost: tuple[tuple[Any, ...], int] = ((), 0)  # how many events of it found no room
        self._crowd: tuple[int, Values] = (0, ())  # who sends many events in this tick, and the line they come from
        # Plain functions: bound methods in here would be a cycle.
        self.by_name: dict[bytes, Callable[[Operations, Actor, int, Values], None]] = {
            name.encode(): getattr(Operations, f"_{name}") for name in _NAMES
        }

    @staticmethod
    def failed(result: Any) -> bool:
        """True where a tick's result tells of a problem."""
        if type(result) is not tuple:
            return isinstance(result, Exception)
        at = 3
        while at < len(result):
            head = result[at]
            if head in _FAILURES:
                return True
            at += 1 + (head >> 5 & 7) if type(head) is int else 3 + result[at + 2]
        return False

    @property
    def digest(self) -> int:
        """A sum of all that was carried out, in order. To ask for it changes nothing of what it will be."""
        if not self._told:
            return self._digest
        # Version 2 writes equal values to equal bytes; later ones depend on reference counts.
        return crc32(marshal.dumps(self._told, 2), self._digest)

    def _sum_up(self) -> None:
        """Let the digest tell of what it does not yet. How much that is at once is part of the sum."""
        self._digest = self.digest
        self._told.clear()

    def carry_out(self, actor: Actor, flat: tuple[Any, ...], start: int = 3) -> bool:
        """All operations of a tick's result; True where it only shows something."""
        self._flat = flat
        at, end, only, known, shows = start, len(flat), actor.only, start, True
        while at < end:
            head = flat[at]
            if type(head) is int:
                number, after = head & 31, at + 1 + (head >> 5 & 7)  # `unpacked`, written out
                if number < _COMMANDS:
                    self.commands.told.append((flat, at, after))
                else:
                    found = only if only is not None and only.id == head >> 8 else self._world.entity(head >> 8)
                    if found is not None:
                        found.show(FIELDS[number - _COMMANDS], flat[at + 1])
            else:
                shows, after = False, at + 3 + flat[at + 2]
                if head in _PLACES:
                    if at > known:
                        self._told.append(flat[known:at])
                    self._locate(actor, head, flat, at + 3, after)
                    known = after
                else:
                    self.by_name[head](self, actor, flat[at + 1], flat[at + 3 : after])
            at = after
        if end > known:
            self._told.append(flat[known:])
        if not shows or len(self._told) > _MOST_TOLD:
            self._sum_up()
        return shows

    def _locate(self, actor: Actor, head: bytes, flat: tuple[Any, ...], start: int, end: int) -> None:
        """Where many entities are, which stands in `flat` from `start` on; the digest looks at that by itself."""
        if head == b"sheet":
            half = (start + end) // 2
            actor.sheet[::2], actor.sheet[1::2] = flat[start:half], flat[half:end]
        elif head == b"places":
            self._places(flat[start:end])
        else:
            self._seats(actor, flat[start:end])

    def show(self, entity: Entity, result: tuple[Any, ...]) -> None:
        """The same for what only shows something, of the only entity of a state: its place, commands, then fields."""
        x = result[1]
        if x is not None:
            entity.place = x, result[2]
        told = self._told
        told.append(result[3:])
        fields = 2 - result[0]  # where they begin
        if fields > 3:
            self.commands.told.append((result, 3, fields))
        if fields < len(result):
            entity.show_fields(result, fields)
        if len(told) > _MOST_TOLD:
            self._sum_up()

    def note(self, name: bytes, entity: int, values: Values) -> None:
        """Let the digest tell of it."""
        self._sum_up()
        self._digest = crc32(marshal.dumps((name, entity, values), 2), self._digest)

    def _emit(self, _: Actor, entity: int, values: Values) -> None:
        name = values[0]
        self._world.bus.publish(name, entity, values[3], values[4:])

    def _send(self, _: Actor, entity: int, values: Values) -> None:
        name, target = values[0], values[1]
        self._world.bus.post(target, name, entity, values[3], values[4:])

    def _request(self, _: Actor, entity: int, values: Values) -> None:
        name, target, token, shape = values[:4]
        self._world.bus.ask(entity, name, target, token, shape, values[4:])

    def _reply(self, _: Actor, entity: int, values: Values) -> None:
        asker, number, status, shape = values[:4]
        self._world.bus.answered(entity, number, asker)
        self._world.bus.requests.reply(number, status, shape, values[4:])

    def _forget(self, _: Actor, entity: int, values: Values) -> None:
        self._world.bus.requests.forget(entity, values[0])

    def _subscribe(self, _: Actor, entity: int, values: Values) -> None:
        callback, name, coalesce = values
        self._world.bus.subscribe(entity, callback, text(name), bool(coalesce))

    def _watch(self, _: Actor, entity: int, values: Values) -> None:
        self._world.shared.subscribe(entity, values[0], values[1])

    def _unsubscribe(self, _: Actor, entity: int, values: Values) -> None:
        self._world.bus.unsubscribe(entity, values[0])
        self._world.shared.unwatch(entity, values[0])

    def _set(self, _: Actor, entity: int, values: Values) -> None:
        if not self._world.shared.has_room(values[0]):
            self._world.failures.problem(f"shared.set: {no_room(values[0])}", entity=entity)
            return
        self._world.shared.write(values[0], values[3], values[4:])

    def _spawn(self, _: Actor, entity: int, values: Values) -> None:
        script, id, _, shape = values[:4]
        self._world.population.announce(id, text(script), (shape, values[4:]))

    def _destroy(self, _: Actor, entity: int, values: Values) -> None:
        self._world.population.destroy(values[0])

    def _tag(self, _: Actor, entity: int, values: Values) -> None:
        found = self._world.entity(entity)
        if found is not None and len(found.tags) >= MOST_TAGS:
            self._world.failures.problem(
                f"entity.tag: entity {entity} has {MOST_TAGS} tags, and gets no more", entity=entity
            )
        elif found is not None:
            self._world.population.entities.tag(found, text(values[0]))

    def _script(self, actor: Actor, entity: int, values: Values) -> None:
        self._world.population.script_loaded(actor, entity, *values)

    def _method(self, _: Actor, entity: int, values: Values) -> None:
        self._world.population.check_method(entity, text(values[0]), values[1])

    def _ready(self, _: Actor, entity: int, values: Values) -> None:
        found = self._world.entity(entity)
        if found is not None:
            found.ready = True

    def _late(self, actor: Actor, entity: int, values: Values) -> None:
        self._world.loop.late[actor] = None

    def _input(self, _: Actor, entity: int, values: Values) -> None:
        self._world.population.wants_input(entity)

    def _look(self, _: Actor, entity: int, values: Values) -> None:
        found = self._world.entity(entity)
        if found is not None:
            found.show(FIELDS[values[0] - 1], decode(values[3], values[4:]))

    def _places(self, values: Values) -> None:
        get = self._world.population.entities.get
        each = iter(values)
        for place in zip(each, each, each, strict=True):
            found = get(place[0])
            if found is not None:
                found.move(place)

    def _seats(self, actor: Actor, ids: Values) -> None:
        """Which entities the sheet, which comes next, has places of."""
        actor.sheet = [False] * (2 * len(ids))
        get = self._world.population.entities.get
        for number, id in enumerate(ids):
            found = get(id) if id else None
            if found is not None:
                found.sit(actor.sheet, 2 * number)

    def _at(self, _: Actor, entity: int, values: Values) -> None:
        self._crowd = entity, (self._flat, *values)

    def overflowed(self, sender: int, name: bytes, message: str) -> None:
        """An event of `sender` found its receiver's mailbox full: a problem of the line that sent it.

        An empty name stands for an event of the game, which `sender` left no room for.
        """
        world = self._world
        if self._lost[0] is not self._flat:
            self._lost = self._flat, 0
        lost = self._lost[1] + 1
        self._lost = self._flat, lost
        if lost > MOST_LOST:
            if lost == MOST_LOST + 1:
                world.failures.problem(f"more than {MOST_LOST} events of one tick found a mailbox full", entity=sender)
            return
        found = world.entity(sender)
        place = self._place(sender)
        if place is None and found is not None and name:
            places = world.population.sources.sends(found.script, name)
            place = places[0] if places else None
            if len(places) > 1:
                several = " or ".join(f"{chunk}:{line}" for chunk, line in places[:MOST_PLACES])
                message = f"{message}. It was sent at {several}{', or later' if len(places) > MOST_PLACES else ''}"
        ring, led_to = world.bus.chains.ring(), world.bus.chains.led_to(sender, name)
        if ring:
            message = f"{message}. Events answer each other: {ring}"
        elif led_to:
            message = f"{message}. What led to it: {led_to}"
        world.failures.problem(message, script=place and place[0], line=place and place[1], entity=sender)

    def _place(self, sender: int) -> tuple[str, int] | None:
        """Script and line of what an entity sends, if it sends so much in this tick that its state tells them."""
        entity, values = self._crowd
        if entity != sender or values[0] is not self._flat:
            later = (values for name, entity, values in each(self._flat, 3) if (name, entity) == (b"at", sender))
            values = (self._flat, *next(later, ()))
        return (text(values[1]), values[2]) if len(values) > 1 and values[2] > 0 else None

    def _log(self, _: Actor, entity: int, values: Values) -> None:
        level, words, script, line = values
        found, place = self._world.entity(entity), text(script)
        if found is not None:
            place = self._world.population.sources.whole(found.script, place)
        self.say(text(level), text(words), entity, place, line)

    def say(self, level: str, words: str, entity: int, script: str, line: int) -> None:
        """Add a line to the world's log; entity 0 and line 0 stand for none."""
        self._world.log.append(LogLine(level, words, entity, script, line))
        _log.log(_LEVELS[level], "%s:%s: %s", script, line, shown(words))

    def _command(self, _: Actor, entity: int, values: Values) -> None:
        module, function, _, shape = values[:4]
        args = decode(shape, values[4:])
        self.commands.told.append(Command(text(module), text(function), args if args else [], entity))

    def _call(self, actor: Actor, entity: int, values: Values) -> None:
        if self._world.host is not None:
            self._world.host.start(actor, entity, values)

    def _uncall(self, _: Actor, entity: int, values: Values) -> None:
        if self._world.host is not None:
            self._world.host.cancel(entity, values[0])

    def _problem(self, _: Actor, entity: int, values: Values) -> None:
        message, trace, maker, where, role = values
        error = script_error(message, trace)
        notes = []
        if where:
            notes.append(f"in the handler of {text(where)!r}" if role else f"in {text(where)}")
        if maker:
            notes.append(f"in a task started at {text(maker)}")
        error.traceback = "\n".join([readable(error.traceback), *notes])
        self._world.failures.problem_of(error, entity, outcome=_outcome(text(where) if where else "", role))

    def _paused(self, _: Actor, entity: int, values: Values) -> None:
        what = f'"{text(values[0])}" failed {values[1]} times in a row'
        found = self._world.entity(entity)
        if found is None or not self._world.reloads.gave_up(found, what):
            self._world.failures.problem(
                f"{what} and is paused until its script reloads",
                entity=entity,
                outcome="mend it and save, or raise the limit (Limits.errors)",
            )

    def _dropped(self, _: Actor, entity: int, values: Values) -> None:
        self._world.reloads.dropped(text(values[0]))

    def _stopped(self, actor: Actor, entity: int, values: Values) -> None:
        self._world.population.stopped(actor, entity)

    def _over(self, actor: Actor, entity: int, values: Values) -> None:
        said = script_error(values[0])
        why = f"{said.message}. The entity ended and its state is closed"
        self._world.population.end_state(actor, why, (said.script, said.line))


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
