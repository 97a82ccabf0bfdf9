"""Closes states that hit their limits too often, or broke. Their entities fall: they wait for a version that works."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING

from engine.entity import Entity
from engine.lua.actor import Actor
from engine.process.process import ProcessEnded

if TYPE_CHECKING:
    from engine.world import World

PATIENCE, STOPS = 600, 3
"""A state is closed when tasks of it were stopped `STOPS` times `Limits.errors` times within so many frames."""

MOST = 1_000
"""Entities that wait for another version of their script. The oldest over that end for good."""


class Fallen:
    """The entities of a world whose state was closed."""

    def __init__(self, world: World) -> None:
        self._world: World = weakref.proxy(world)
        self._entities: dict[int, Entity] = {}

    def stopped(self, actor: Actor) -> None:
        """A task was stopped at a limit of its tick. A state to which that happens again and again is closed."""
        most = actor.limits.errors
        if most is None or not actor.alive:
            return
        now = self._world.frame
        actor.stops = [*(frame for frame in actor.stops if frame > now - PATIENCE), now]
        if len(actor.stops) >= most * STOPS:
            self.end_state(
                actor,
                f"tasks of this state were stopped {len(actor.stops)} times within {PATIENCE} frames "
                f"({STOPS} times Limits.errors); the entity ended and its state is closed",
            )

    def broken(self, actor: Actor, error: Exception) -> None:
        """The pump itself died: its entities end, the game goes on."""
        if isinstance(error, ProcessEnded):
            self._world.losses.look()
            return
        memory = actor.limits.memory
        if memory is not None and isinstance(error, MemoryError):
            what = f"it needs more than {memory / 2**20:.4g} MiB, the limit (Limits.memory)"
        else:
            what = str(error)
        self.end_state(actor, f"the state broke and was closed: {what}")

    def end_state(self, actor: Actor, why: str, place: tuple[str | None, int | None] = (None, None)) -> None:
        """Close a state at once; its entities end without `final`, each with a problem, until their script reloads."""
        population = self._world.population
        for id in list(actor.entities):
            entity = population.entities.get(id)
            outcome = "a reload of its script starts it anew"
            self._world.failures.problem(why, script=place[0], line=place[1], entity=id, outcome=outcome)
            if entity is not None:
                population.entities.remove(entity)
                entity.fall()
                self._entities[id] = entity
            population.leave(id)
        while len(self._entities) > MOST:
            self._entities.pop(next(iter(self._entities))).end()
        actor.entities = ()
        self._world.states.drop(actor)

    def get(self, id: int) -> Entity | None:
        """The entity of that id, if it waits here."""
        return self._entities.get(id)

    def take(self, id: int) -> Entity | None:
        """The entity of that id, which waits no more."""
        return self._entities.pop(id, None)

    def rise(self, script: str) -> None:
        """The script is to have another version: what fell of it lives again, and waits for that to start it."""
        risen = [entity for _, entity in sorted(self._entities.items()) if entity.script == script]
        for entity in risen:
            del self._entities[entity.id]
            entity.rise()
            self._world.delivery.expect(entity.id)
        if risen:
            self._world.population.entities.add_again(risen)

    def close(self) -> None:
        for entity in self._entities.values():
            entity.end()
        self._entities.clear()
