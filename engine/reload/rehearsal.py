"""Has states take their data while there is time, so that a swap does not have to find out how.

A state that has done so once knows where each field of `self` stands in its data. What that looks like, the states of
the next version are told when they are loaded.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

from engine.entity import Entity
from engine.lua.actor import Actor
from engine.lua.bytecode import PRELUDE_LATER
from engine.lua.rounds import asked
from engine.outbox import parted
from engine.process.remote import RemoteActor
from engine.reload.builder import Habits

if TYPE_CHECKING:
    from engine.world import World

_UNKNOWN: Habits = (False, b"")

Carried = tuple[bytes, bytes, tuple[Any, ...]]
"""`self` of an old version: the names of its properties, shape, leaves."""


class Told(NamedTuple):
    """The names of an entity's properties, and the shape of its data; what gives that, where it is alone."""

    names: bytes
    shape: bytes
    give: Callable[..., Any] | None


_NOT_AHEAD = frozenset(("later", "rights", "trace"))
"""Files of the prelude that change what is there when they are loaded; and one that others bring."""


class Rehearsal:
    """Which states of a world have rehearsed, and what the entities of each script are like."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._done: weakref.WeakKeyDictionary[Actor, Told | None] = weakref.WeakKeyDictionary()
        self._habits: dict[str, Habits] = {}

    def habits(self, script: str) -> Habits:
        """What the last one was like that rehearsed."""
        return self._habits.get(script, _UNKNOWN)

    def of(self, entity: Entity) -> None:
        """Let the state of an entity rehearse, if it has not: nothing else happens to it."""
        actor = entity.actor
        if actor is None or isinstance(actor, RemoteActor) or not entity.ready or actor in self._done:
            return
        self._done[actor] = None
        shape, libraries = self.habits(entity.script)
        snapshots, rest = parted(actor.hand((b"snapshot", entity.id, shape)))
        for _, _, values in snapshots:
            if values[0] is not False:
                self._habits[entity.script] = values[3], values[1] or libraries
                give = actor.way_to("snapshots", "give") if actor.only is entity else None
                self._done[actor] = Told(values[0], values[3], give)
        self.absorb(actor, rest)

    def told(self, entity: Entity) -> Told | None:
        """What its state told when it rehearsed."""
        actor = entity.actor
        return None if actor is None else self._done.get(actor)

    def given(self, entities: Iterable[Entity]) -> dict[int, Carried]:
        """The data of those that have rehearsed, without a tick, where they are alone and have the same fields."""
        ids, names, calls = [], [], []
        for entity in entities:
            actor = entity.actor
            told = None if actor is None else self._done.get(actor)
            if actor is None or told is None or told.give is None:
                continue
            if actor.only is entity and not actor.changed:
                ids.append(entity.id)
                names.append(told.names)
                calls.append((told.give,))
        given = zip(ids, names, asked(self._world.commons, calls), strict=True)
        return {id: (name, said[0], said[1:]) for id, name, said in given if type(said) is tuple}

    def absorb(self, actor: Actor, rest: tuple[object, ...]) -> None:
        """What Python changed in a state since its last tick was told together with its data."""
        if len(rest) > 3 or (rest and rest[1] is not None):
            self._world.loop.absorb(actor, rest)


def loaded_by(entity: Entity) -> frozenset[str]:
    """The files of the prelude that its state has come to use: the next version has them at once."""
    assert entity.actor is not None
    used = frozenset(entity.actor.function("snapshots", "loaded")().decode().split("\n"))
    return used.intersection(PRELUDE_LATER) - _NOT_AHEAD
