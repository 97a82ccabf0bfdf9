"""A sum of all that states told and were told, in order: two runs that are the same have the same."""

from __future__ import annotations

import marshal
from typing import Any
from zlib import crc32

MOST = 64
"""So much is told at the most until it is summed up."""


class Digest:
    """The sum of one world. What is to be part of it next is put into `told`, to be summed up by `settle`."""

    def __init__(self) -> None:
        self.told: list[tuple[Any, ...]] = []  # always the same list, so that others may keep it
        self._sum = 0

    @property
    def sum(self) -> int:
        """The sum so far. To ask for it changes nothing of what it will be."""
        return _summed(self._sum, self.told) if self.told else self._sum

    def settle(self) -> None:
        """Sum up what was told. How much that is at once is part of the sum."""
        if self.told:
            self._sum = _summed(self._sum, self.told)
            self.told.clear()

    def note(self, name: bytes, entity: int, values: tuple[Any, ...]) -> None:
        """Something that no state told: an answer that it gets from outside."""
        self.settle()
        self._sum = _summed(self._sum, (name, entity, values))


def _summed(so_far: int, told: Any) -> int:
    # Version 2 writes equal values to equal bytes; later ones depend on reference counts.
    return crc32(marshal.dumps(told, 2), so_far)
