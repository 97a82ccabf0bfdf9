"""A new version of some entities on trial: its state, and what that said before it runs the game."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from engine.entity import Entity
from engine.lua.actor import Actor, Result
from engine.operations import Operation, each, flattened


@dataclass(slots=True, eq=False)
class Trial:
    """A new state, the entities that it was made for, and what it said so far."""

    actor: Actor
    id: int  # of the entity that it was made for first
    entities: dict[int, Entity] = field(default_factory=dict)
    results: list[Result] = field(default_factory=list)
    started: bool = False
    early: bytes = b""  # it has started, and waits for its data, which probably has this shape
    take: Callable[..., Any] | None = None  # what takes that then


def only(result: Result, wanted: bytes) -> list[Operation]:
    """The operations of one name in what a state said."""
    if type(result) is not tuple:
        return []
    return [operation for operation in each(result, 3) if operation[0] == wanted]


def is_usual(result: Result, id: int) -> bool:
    """True where loading told no more than that there is a script, which chose nothing."""
    return type(result) is tuple and result[3:] == (b"script", id, 3, False, False, False)


def parted(result: Result) -> tuple[list[Operation], tuple[Any, ...]]:
    """The snapshots in what a state said, and the rest of it."""
    if type(result) is not tuple:
        return [], ()
    if result[3:4] == (b"snapshot",) and len(result) == 6 + result[5]:  # as nearly all
        return [(b"snapshot", result[4], result[6:])], result[:3]
    snapshots, rest = [], list(result[:3])
    for name, entity, values in each(result, 3):
        if name == b"snapshot":
            snapshots.append((name, entity, values))
        else:
            rest += flattened(name, entity, values)
    return snapshots, tuple(rest)


def without(result: Result, id: int) -> Result:
    """What a state said, but nothing of the entity `id`."""
    if type(result) is not tuple:
        return result
    kept: list[Any] = list(result[:3])
    for name, entity, values in each(result, 3):
        if entity != id:
            kept += flattened(name, entity, values)
    return tuple(kept)
