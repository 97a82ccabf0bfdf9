"""Makes ready what the next reload will need, while the game has nothing to do: states, and rehearsals of old ones."""

from __future__ import annotations

import time
from collections import Counter, deque
from typing import TYPE_CHECKING

from engine.entity import Entity
from engine.process.remote import RemoteActor
from engine.reload.builder import MOST, Builder
from engine.reload.rehearsal import Rehearsal, loaded_by

if TYPE_CHECKING:
    from engine.world import World

CALM = 60
"""After so many idle times it is looked anew how many states the next save may need."""


class Readiness:
    """That of one world. What is left of states that nobody needs is put into `husks`: freeing it takes time."""

    def __init__(self, world: World, rehearsal: Rehearsal, husks: deque[object]) -> None:
        self._world = world
        self._rehearsal = rehearsal
        self._husks = husks
        self.builder: Builder | None = None
        self._likely: deque[Entity] = deque()  # whose script is likely to be saved
        self._calm = 0  # how often the game had time and no save took it

    def work(self, deadline: float) -> bool:
        """Go on for the next save, whichever script it is of; False where time ran out."""
        self._calm += 1
        if self._calm % CALM == 1:
            self._foresee()
        if self.builder is not None and not self.builder.make(deadline):
            return False
        while self._likely:
            if time.perf_counter() > deadline:
                return False
            self._rehearse(self._likely.popleft())
        return True

    def _foresee(self) -> None:
        """The script that has most entities is the likeliest to be saved: it needs most."""
        actors = self._world.states.actors.values()
        alone = [actor.only for actor in actors if actor.only is not None and not isinstance(actor, RemoteActor)]
        for script, count in Counter(entity.script for entity in alone).most_common(1):
            self._likely = deque(entity for entity in alone if entity.script == script)
            self._rehearse(self._likely[0])  # what it is like is known before states are made
            habits = self._rehearsal.habits(script)
            self.builder_for(script).want(min(count, MOST), loaded_by(self._likely[0]), habits)

    def _rehearse(self, entity: Entity) -> None:
        if entity.actor is not None and not entity.actor.changed:
            self._rehearsal.of(entity)

    def builder_for(self, script: str) -> Builder:
        """Who makes states for entities of `script`."""
        world = self._world
        made_with = world.lua, world.limits_of(script), world.seed, world.fixed_step
        if self.builder is not None and self.builder.made_with != made_with:
            self.end()
        if self.builder is None:
            self.builder = Builder(*made_with)
        return self.builder

    def want(self, count: int) -> None:
        """Have so many states for the next reload, as for the last."""
        if self.builder is not None:
            self.builder.want(min(count, MOST))

    def pause(self) -> None:
        """Make no states beside the game for now."""
        if self.builder is not None:
            self.builder.pause()

    def go_on(self) -> None:
        if self.builder is not None:
            self.builder.go_on()

    def end(self) -> None:
        """Nobody needs more states."""
        if self.builder is not None:
            self._husks += self.builder.close()
            self.builder = None

    def close(self) -> None:
        self._likely.clear()
        self.end()
