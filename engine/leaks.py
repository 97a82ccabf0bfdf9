"""What is still held although its entity has ended: for tests, `assert not world.leaks()`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.lua.actor import Actor

if TYPE_CHECKING:
    from engine.world import World


@dataclass(frozen=True, slots=True)
class Leak:
    """Things of one kind, made at one place, of entities that have ended.

    `kind` is "handle", "proxy" (a `with` that never ended), or what the world itself forgot to drop: "state", "timer",
    "subscription", "watch", "request". `place` is who made it: script and line, file and line of Python, or the script
    of a state.
    """

    kind: str
    place: str
    count: int
    entities: tuple[int, ...]

    def __str__(self) -> str:
        of = ", ".join(map(str, self.entities[:5])) + (", ..." if len(self.entities) > 5 else "")
        return f"{self.count} x {self.kind} made at {self.place}, of dead entities {of}"


def find_leaks(world: World) -> list[Leak]:
    """Everything of dead entities that is held, by kind and place. Call it between ticks."""
    found: dict[tuple[str, str], list[int]] = {}
    for kind, place, entity in (*_held(world), *_states(world), *_kept_by_the_world(world)):
        found.setdefault((kind, place), []).append(entity)
    return [
        Leak(kind, place, len(entities), tuple(sorted(set(entities))))
        for (kind, place), entities in sorted(found.items())
    ]


def _held(world: World) -> list[tuple[str, str, int]]:
    dead = []
    for kind, place, reference, entity in world.commons.ledger.all():
        state = reference()
        if state is None or not state.alive or not state.holds(entity):
            dead.append((kind, place, entity))
    return dead


def _states(world: World) -> list[tuple[str, str, int]]:
    living = {*world.states.actors.values(), *world.states.warm}
    states = [reference() for reference in world.commons.states.copy()]
    dead = [state for state in states if isinstance(state, Actor) and state not in living]
    timers = [actor for wakes in world.loop.wakes.values() for actor in wakes.sleeping() if actor not in living]

    def script(actor: Actor) -> str:
        return actor.name if actor.version is None else world.population.sources.chunk(actor.version.script)

    return [
        *(("state", script(actor), actor.key) for actor in dead),
        *(("timer", script(actor), actor.key) for actor in timers),
    ]


def _kept_by_the_world(world: World) -> list[tuple[str, str, int]]:
    """Ids that the world still knows: a defect of the engine, not of the game."""
    population = world.population
    living = {entity.id for entity in population.entities}
    kept = {
        "subscription": world.delivery.living(),
        "watch": world.shared.watchers(),
        "request": world.delivery.requests.parties(),
    }
    return [
        (kind, "engine", id)
        for kind, ids in kept.items()
        for id in sorted(ids - living)
        if not population.is_coming(id)
    ]
