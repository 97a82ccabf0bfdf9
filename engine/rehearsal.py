"""Has states take their data while there is time, so that a swap does not have to find out how.

A state that has done so once knows where each field of `self` stands in its data. What that looks like, the states of
the next version are told when they are loaded.
"""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING

from engine.builder import Habits
from engine.entity import Entity
from engine.lua.actor import Actor
from engine.process.remote import RemoteActor
from engine.trial import parted

if TYPE_CHECKING:
    from engine.world import World

_UNKNOWN: Habits = (False, b"")


class Rehearsal:
    """Which states of a world have rehearsed, and what the entities of each script are like."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._done: weakref.WeakSet[Actor] = weakref.WeakSet()
        self._habits: dict[str, Habits] = {}

    def habits(self, script: str) -> Habits:
        """What the last one was like that rehearsed."""
        return self._habits.get(script, _UNKNOWN)

    def of(self, entity: Entity) -> None:
        """Let the state of an entity rehearse, if it has not: nothing else happens to it."""
        actor = entity.actor
        if actor is None or isinstance(actor, RemoteActor) or not entity.ready or actor in self._done:
            return
        self._done.add(actor)
        shape, libraries = self.habits(entity.script)
        snapshots, rest = parted(actor.hand((b"snapshot", entity.id, shape)))
        for _, _, values in snapshots:
            if values[0] is not False:
                self._habits[entity.script] = values[3], values[1] or libraries
        self.absorb(actor, rest)

    def absorb(self, actor: Actor, rest: tuple[object, ...]) -> None:
        """What Python changed in a state since its last tick was told together with its data."""
        if len(rest) > 3 or (rest and rest[1] is not None):
            self._world.loop.absorb(actor, rest)
