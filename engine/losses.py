"""What becomes of entities whose process has ended: they start anew, unless that happens again and again.

An entity that starts anew keeps its id and gets the properties that it was made with; what else it knew went with its
process. It starts at the end of the frame, as one that was just made.
"""

from __future__ import annotations

import weakref
from collections import deque
from typing import TYPE_CHECKING

from engine.entity import Entity
from engine.errors import EngineError
from engine.process.process import Process, ProcessEnded
from engine.process.remote import RemoteActor

if TYPE_CHECKING:
    from engine.world import World

RESTARTS = 3
SECONDS = 60.0
"""A process is started anew at most so often within so many seconds of the world's real clock."""

_LISTED = 5


class Losses:
    """The processes of a world that ended, and the entities that wait for another."""

    def __init__(self, world: World) -> None:
        self._world: World = weakref.proxy(world)
        self._ended: dict[str, deque[float]] = {}
        self.waiting: dict[int, None] = {}  # entities to be started at the end of the frame

    def look(self) -> None:
        """Take note of the processes that ended since the last look."""
        for process in self._world.children.take_ended():
            self._lose(process)
        now = self._world.loop.real.now
        for name, times in list(self._ended.items()):
            while times and times[0] <= now - SECONDS:
                times.popleft()
            if not times:
                del self._ended[name]
                self._world.children.forgive(name)

    def settle(self) -> None:
        """Start the entities that wait."""
        waiting, self.waiting = self.waiting, {}
        for id in sorted(waiting):
            entity = self._world.entity(id)
            if entity is not None and entity.actor is None:  # a reload may have started it meanwhile
                self._world.population.create(entity)

    def stillborn(self, entity: Entity, error: EngineError) -> None:
        """There is no process for an entity, or it ended before there was a state in it."""
        self.look()
        if isinstance(error, ProcessEnded):
            self.waiting[entity.id] = None
        else:
            self._world.failures.problem(str(error), entity=entity.id, outcome="a reload of its script starts it")

    def forgive(self, script: str) -> None:
        """Another version of a script is to be tried: its process may be started again."""
        name = self._world.children.name_of(script)
        self._ended.pop(name, None)
        self._world.children.forgive(name)

    def _lose(self, process: Process) -> None:
        world = self._world
        actors = [
            actor
            for actor in world.states.actors.values()
            if isinstance(actor, RemoteActor) and actor.process is process
        ]
        entities = [entity for actor in actors for id in actor.entities if (entity := world.entity(id))]
        times = self._ended.setdefault(process.name, deque())
        times.append(world.loop.real.now)
        again = len(times) <= RESTARTS
        self._tell(process, entities, again)
        for actor in actors:
            if again:
                world.states.drop(actor)
            else:
                world.fallen.end_state(actor, f'the process of "{process.name}" ended; the entity did, too')
        if again:
            self._begin_anew(entities)

    def _begin_anew(self, entities: list[Entity]) -> None:
        """Let them be as at birth, until `settle` starts them."""
        population = self._world.population
        for entity in entities:
            population.leave(entity.id)
            population.entities.remove(entity)
            entity.fall()
            entity.rise()
            self._world.delivery.expect(entity.id)
            self.waiting[entity.id] = None
        population.entities.add_again(entities)

    def _tell(self, process: Process, entities: list[Entity], again: bool) -> None:
        ran = next((entity for entity in entities if entity.id == process.suspect), None)
        shown = ", ".join(f"{entity.script} {entity.id}" for entity in entities[:_LISTED])
        more = f" and {len(entities) - _LISTED} more" if len(entities) > _LISTED else ""
        what = f'the process of "{process.name}" {process.ended}'
        if ran is not None:
            what += f" while {ran.script} {ran.id} ran"
        if not again:
            why = f'the process of "{process.name}" ended more than {RESTARTS} times within {SECONDS:g} s'
            self._world.children.give_up(process.name, f"{why}; it gets no other one until that time is over")
            what += f", more than {RESTARTS} times within {SECONDS:g} s"
        fate = "starts anew" if again else "ends"
        self._world.failures.problem(
            f"{what}; its entities: {shown or 'none'}{more}",
            entity=ran.id if ran is not None else entities[0].id if entities else None,
            traceback=process.traceback,
            outcome=f"each of its entities {fate}" if entities else "",
        )
