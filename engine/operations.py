"""Carries out what states put into their outboxes: (operation, entity id, n, n values), one after the other."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from operator import itemgetter
from typing import TYPE_CHECKING

from engine.bus.events import text
from engine.digest import MOST as MOST_TOLD
from engine.digest import Digest
from engine.display import COMMANDS, FIELDS, Command, Commands
from engine.lua.actor import Actor
from engine.lua.failures import script_error
from engine.outbox import FIRST, Values
from engine.payload import decode
from engine.shared import no_room

if TYPE_CHECKING:
    from engine.world import World

_NAMES = (
    *("emit", "send", "request", "reply", "forget", "subscribe", "unsubscribe", "watch", "set"),
    *("spawn", "destroy", "tag", "script", "method", "ready", "late", "input", "look"),
    *("log", "at", "command", "problem", "paused", "dropped", "call", "uncall", "stopped", "over"),
)

MOST_TAGS = 1_000
_COMMANDS = len(COMMANDS)
_BIRTH = (b"script", b"ready")
_PLACES = (b"sheet", b"places", b"seats")
_shown_in = itemgetter(slice(FIRST, None))


class Operations:
    """The operations of one world, by name."""

    def __init__(self, world: World) -> None:
        self._world: World = weakref.proxy(world)
        self.digest = Digest()
        self._told = self.digest.told
        self.commands = Commands()  # of this frame; between frames, of the next
        self._overflows = world.delivery.overflows
        # Plain functions: bound methods in here would be a cycle.
        self.by_name: dict[bytes, Callable[[Operations, Actor, int, Values], None]] = {
            name.encode(): getattr(Operations, f"_{name}") for name in _NAMES
        }

    def carry_out(self, actor: Actor, flat: Values, start: int = FIRST) -> bool:
        """All operations of a tick's result; True where it only shows something, or that an entity was born."""
        self._overflows.flat = flat
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
                shows, after = shows and head in _BIRTH, at + 3 + flat[at + 2]
                if head in _PLACES:
                    if at > known:
                        self._told.append(flat[known:at])
                    self._locate(actor, head, flat, at + 3, after)
                    known = after
                else:
                    if head == b"problem":  # its traceback may have more frames of ours at one time than at another
                        self._told.append(flat[known : at + 4])
                        known = at + 5
                    self.by_name[head](self, actor, flat[at + 1], flat[at + 3 : after])
            at = after
        if end > known:
            self._told.append(flat[known:])
        if not shows or len(self._told) > MOST_TOLD:
            self.digest.settle()
        return shows

    def _locate(self, actor: Actor, head: bytes, flat: Values, start: int, end: int) -> None:
        """Where many entities are, which stands in `flat` from `start` on; the digest looks at that by itself."""
        if head == b"sheet":
            half = (start + end) // 2
            actor.sheet[::2], actor.sheet[1::2] = flat[start:half], flat[half:end]
        elif head == b"places":
            self._places(flat[start:end])
        else:
            self._seats(actor, flat[start:end])

    def note_shown(self, results: list[Values]) -> None:
        """Take in what ticks told that only show something, of the only entity of a state: commands, then fields."""
        self.commands.told += results
        self.digest.tell(map(_shown_in, results))

    def _emit(self, _: Actor, entity: int, values: Values) -> None:
        name = values[0]
        self._world.delivery.publish(name, entity, values[3], values[4:])

    def _send(self, _: Actor, entity: int, values: Values) -> None:
        name, target = values[0], values[1]
        self._world.delivery.post(target, name, entity, values[3], values[4:])

    def _request(self, _: Actor, entity: int, values: Values) -> None:
        name, target, token, shape = values[:4]
        self._world.delivery.ask(entity, name, target, token, shape, values[4:])

    def _reply(self, _: Actor, entity: int, values: Values) -> None:
        asker, number, status, shape = values[:4]
        self._world.delivery.answered(entity, number, asker)
        self._world.delivery.requests.reply(number, status, shape, values[4:])

    def _forget(self, _: Actor, entity: int, values: Values) -> None:
        self._world.delivery.requests.forget(entity, values[0])

    def _subscribe(self, actor: Actor, entity: int, values: Values) -> None:
        callback, name, coalesce = values
        if actor.alive:  # it is closed in the middle of what it says, where that tells of one stop too many
            self._world.delivery.subscribe(entity, callback, text(name), bool(coalesce))

    def _watch(self, actor: Actor, entity: int, values: Values) -> None:
        if actor.alive:
            self._world.shared.subscribe(entity, values[0], values[1])

    def _unsubscribe(self, _: Actor, entity: int, values: Values) -> None:
        self._world.delivery.unsubscribe(entity, values[0])
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
        self._overflows.sends_many(entity, values)

    def _log(self, _: Actor, entity: int, values: Values) -> None:
        level, words, script, line = values
        found, place = self._world.entity(entity), text(script)
        if found is not None:
            place = self._world.population.sources.whole(found.script, place)
        self._world.log.say(text(level), text(words), entity, place, line)

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
        self._world.failures.told(entity, *values)

    def _paused(self, _: Actor, entity: int, values: Values) -> None:
        what = f'"{text(values[0])}" failed {values[1]} times in a row'
        found = self._world.entity(entity)
        if found is None or not self._world.reloads.probation.gave_up(found, what):
            self._world.failures.problem(
                f"{what} and is paused until its script reloads",
                entity=entity,
                outcome="mend it and save, or raise the limit (Limits.errors)",
            )

    def _dropped(self, _: Actor, entity: int, values: Values) -> None:
        self._world.reloads.announcements.dropped(text(values[0]))

    def _stopped(self, actor: Actor, entity: int, values: Values) -> None:
        self._world.fallen.stopped(actor)

    def _over(self, actor: Actor, entity: int, values: Values) -> None:
        said = script_error(values[0])
        why = f"{said.message}. The entity ended and its state is closed"
        self._world.fallen.end_state(actor, why, (said.script, said.line))
