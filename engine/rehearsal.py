"""Has states take their data while there is time, so that a swap does not have to find out how.

A state that has done so once knows where each field of `self` stands in its data. What that looks like, the states of
the next version are told when they are loaded.
"""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any

from engine.builder import Habits
from engine.entity import Entity
from engine.lua.actor import Actor
from engine.lua.bytecode import PRELUDE_LATER
from engine.process.remote import RemoteActor
from engine.trial import parted

if TYPE_CHECKING:
    from engine.world import World

_UNKNOWN: Habits = (False, b"")

Told = tuple[bytes, bytes]
"""The names of an entity's properties, and the shape of its data."""


_NOT_AHEAD = frozenset(("rights", "trace"))
"""Files of the prelude that change what is there when they are loaded."""


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
                self._done[actor] = values[0], values[3]
                if actor.only is entity:
                    actor.function("reload", "give")()  # it is kept from here on
        self.absorb(actor, rest)

    def told(self, entity: Entity) -> Told | None:
        """What its state told when it rehearsed."""
        actor = entity.actor
        return None if actor is None else self._done.get(actor)

    def given(self, entity: Entity, actor: Actor) -> tuple[bytes, bytes, tuple[Any, ...]] | None:
        """The data of an entity that has rehearsed, taken without a tick, where it is alone and has the same fields."""
        told = self._done.get(actor)
        if told is None or actor.only is not entity or actor.changed:
            return None
        said = actor.function("reload", "give")()
        return (told[0], said[0], said[1:]) if type(said) is tuple else None

    def absorb(self, actor: Actor, rest: tuple[object, ...]) -> None:
        """What Python changed in a state since its last tick was told together with its data."""
        if len(rest) > 3 or (rest and rest[1] is not None):
            self._world.loop.absorb(actor, rest)


def loaded_by(entity: Entity) -> frozenset[str]:
    """The files of the prelude that its state has come to use: the next version has them at once."""
    assert entity.actor is not None
    used = frozenset(entity.actor.function("reload", "loaded")().decode().split("\n"))
    return used.intersection(PRELUDE_LATER) - _NOT_AHEAD
