"""A new version of some entities on trial: its state, and what that said before it runs the game."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from engine.entity import Entity
from engine.lua.actor import Actor, Result


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


def is_usual(result: Result, id: int) -> bool:
    """True where loading told no more than that there is a script, which chose nothing."""
    return type(result) is tuple and result[3:] == (b"script", id, 3, False, False, False)
