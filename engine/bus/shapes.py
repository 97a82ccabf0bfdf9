"""What of a shape is known before a state reads it: its number, the names in it."""

from __future__ import annotations

from functools import lru_cache

from engine.display import FIELDS
from engine.lua.runtime import Names

_SEEN = frozenset(name.encode() for name in FIELDS)
_MOST = 4096  # shapes that are made up as the game runs must not fill the memory
_LONGEST = 512

FEW = 6
"""Fields that an entity may get that lies in wait for its birth; `prelude/calm.lua` takes as many."""


class Shapes:
    """The shapes of a world by number. A state that meets a number for the first time asks for its text."""

    def __init__(self) -> None:
        self._texts = [b"_", b"."]
        self._numbers: dict[bytes, int] = {b"_": 0, b".": 1}

    def number(self, shape: bytes) -> int | bytes:
        """The number of a shape, or the shape itself where it is too long, or one too many."""
        number = self._numbers.get(shape)
        if number is not None:
            return number
        if len(self._texts) >= _MOST or len(shape) > _LONGEST:
            return shape
        number = self._numbers[shape] = len(self._texts)
        self._texts.append(shape)
        return number

    def text(self, number: int | bytes) -> bytes:
        """The shape that travels as `number`."""
        return number if isinstance(number, bytes) else self._texts[number]


@lru_cache(maxsize=512)
def names_in(shape: bytes) -> list[bytes] | None:
    """The names in the shape of a table that has leaves under names, in the order of its leaves.

    `None` for any other shape, and for a long one.
    """
    if not shape.startswith(b"{") or len(shape) > _LONGEST:
        return None
    names = []
    at, end = 1, len(shape) - 1
    while at < end:
        size, _, _ = shape[at:].partition(b":")
        if not size.isdigit():  # a number as key
            return None
        start = at + len(size) + 1
        at = start + int(size)
        names.append(shape[start:at])
        if shape[at : at + 1] != b".":
            return None
        at += 1
    return names


@lru_cache(maxsize=512)
def few_names(shape: bytes) -> Names | None:
    """The same where they are few, and no window shows any: `FEW`, with None for those that are missing."""
    names = names_in(shape)
    if names is None or len(names) > FEW or not _SEEN.isdisjoint(names):
        return None
    return (*names, *(None for _ in range(FEW - len(names))))
