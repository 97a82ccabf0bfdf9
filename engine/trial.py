"""A new version of some entities on trial: its state, and what that said before it runs the game."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from engine.entity import Entity
from engine.lua.actor import Actor, Mail, Result
from engine.operations import Operation, each, flattened

Carried = tuple[bytes, bytes, tuple[Any, ...]]
"""`self` of an old version: the names of its properties, shape, leaves."""


@dataclass(slots=True, eq=False)
class Trial:
    """A new state, the entities that it was made for, and what it said so far."""

    actor: Actor
    entities: dict[int, Entity] = field(default_factory=dict)
    results: list[Result] = field(default_factory=list)
    started: bool = False
    touched: bytes | None = None  # where it started ahead: the names of the fields of `self` that this touched
    carried: Carried | None = None  # and what with
    arrive: Any = None  # and what brings it to the border

    def start_mail(self, carried: dict[int, Carried]) -> Mail:
        """The mail that starts the entities with what they carry, or anew."""
        mail: list[Any] = []
        for id, entity in self.entities.items():
            if id in carried:
                names, shape, leaves = carried[id]
                mail += (b"resume", id, entity.version, names, shape, *leaves)
            else:
                shape, leaves = entity.properties
                mail += (b"fill", id, shape, *leaves, b"boot", id)
        return tuple(mail)


def outcome_of(entity: Entity | None) -> str:
    """What becomes of an entity whose new version failed."""
    if entity is None:
        return ""
    if entity.ready:
        return f"old version still running (v{entity.version})"
    return f"{entity.script} {entity.id} has not started; it will when the file is mended"


def only(result: Result, wanted: bytes) -> list[Operation]:
    """The operations of one name in what a state said."""
    if type(result) is not tuple:
        return []
    return [operation for operation in each(result, 3) if operation[0] == wanted]


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


def joined(results: list[Result]) -> Result:
    """What a state said in several ticks, as if it were one: when it wakes and where it is tells the last."""
    wake, place = False, (None, None)
    operations: list[Any] = []
    for result in results:
        if type(result) is tuple:
            wake = result[0]
            place = place if result[1] is None else result[1:3]
            operations += result[3:]
        else:
            wake = result
    return (wake, *place, *operations)
