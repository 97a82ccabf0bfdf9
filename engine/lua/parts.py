"""Values that are too many for one crossing go in parts, the same way in and out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from engine.errors import EngineError

if TYPE_CHECKING:
    from engine.lua.state import LuaState

PART = 4000
"""Values per crossing; LuaJIT's C stack has room for 8,000. The prelude has the same bound."""


def staged(state: LuaState, flat: Sequence[Any]) -> Sequence[Any]:
    """False and the values; or, where they are too many for one crossing, the key under which they wait.

    `LimitError` where the state has no room for them; nothing, as what deletes a field, always goes in.
    """
    state.commons.check_not_entered(state.name)
    if flat:
        state.check_room(size_of(flat))
    if len(flat) <= PART:
        return (False, *flat)
    key = 0
    try:
        for start in range(0, len(flat), PART):
            key = state.trusted("stage", key, *flat[start : start + PART])
    except EngineError:
        state.drop(key)
        raise
    return (key,)


def fetched(state: LuaState, answer: Any) -> list[Any]:
    """The values of an answer: (False, values...) or (key, how many) where they have to be fetched."""
    if type(answer) is not tuple:
        return []
    if answer[0] is False:
        return list(answer[1:])
    key, count = answer
    values: list[Any] = []
    try:
        for start in range(1, count + 1, PART):
            part = state.trusted("fetch", key, start, min(start + PART - 1, count))
            values += part if type(part) is tuple else (part,)
    finally:
        state.drop(key)
    return values


def size_of(values: Iterable[Any]) -> int:
    """Bytes of the strings in flat values."""
    return sum([len(value) for value in values if type(value) is bytes])
