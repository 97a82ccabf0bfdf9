"""Figures of a world."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.errors import StateBusy

if TYPE_CHECKING:
    from engine.world import World


@dataclass(frozen=True, slots=True)
class Usage:
    """What one entity uses. `memory` is that of its state, in bytes, which others may share."""

    handles: int
    subscriptions: int
    tasks: int
    memory: int


@dataclass(frozen=True, slots=True)
class Stats:
    """Figures of a world. Two runs with the same seed, inputs and `dt`s have the same `digest` after every frame.

    `states` counts the Lua VMs that live, also those that only an open proxy keeps; `handles` what Python holds,
    proxies included. `per_entity` is filled when it is asked for: each state has to be asked.
    """

    frame: int
    entities: int
    states: int
    handles: int
    subscriptions: int
    pruned: int
    requests: int
    problems: int
    calls: int
    digest: str
    per_entity: dict[int, Usage]


def stats_of(world: World, per_entity: bool) -> Stats:
    return Stats(
        frame=world.frame,
        entities=len(world.population.entities),
        states=len(world.commons.states) - len(world.states.warm),
        handles=len(world.commons.ledger),
        subscriptions=world.delivery.routes.count(),
        pruned=world.delivery.pruned,
        requests=len(world.delivery.requests),
        problems=len(world.problems),
        calls=0 if world.host is None else world.host.pending,
        digest=world.loop.digest(),
        per_entity=_usage(world) if per_entity else {},
    )


def _usage(world: World) -> dict[int, Usage]:
    if world.busy:
        raise StateBusy("stats(per_entity=True) asks every state; call it between ticks")
    handles = Counter(held.entity for held in world.commons.ledger.all())
    found = {}
    for entity in world.entities:
        actor = entity.actor
        if actor is not None:
            subscriptions = len(world.delivery.routes.names_of(entity.id))
            found[entity.id] = Usage(handles[entity.id], subscriptions, actor.trusted("tasks", entity.id), actor.memory)
    return found
