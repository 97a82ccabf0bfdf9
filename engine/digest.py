"""A sum of all that states told and were told, in order: two runs that are the same have the same."""

from __future__ import annotations

import marshal
from collections.abc import Iterable
from typing import Any
from zlib import crc32

_VERSION = 2  # of marshal: it writes equal values to equal bytes; later ones depend on reference counts

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
        return crc32(marshal.dumps(self.told, _VERSION), self._sum) if self.told else self._sum

    def settle(self) -> None:
        """Sum up what was told. How much that is at once is part of the sum."""
        if self.told:
            self._sum = crc32(marshal.dumps(self.told, _VERSION), self._sum)
            self.told.clear()

    def tell(self, told: Iterable[tuple[Any, ...]]) -> None:
        """Put all of these into `told`, and sum up as if they came one by one."""
        self.told += told
        while len(self.told) > MOST:
            self._sum = crc32(marshal.dumps(self.told[: MOST + 1], _VERSION), self._sum)
            del self.told[: MOST + 1]

    def note(self, name: bytes, entity: int, values: tuple[Any, ...]) -> None:
        """Something that no state told: an answer that it gets from outside."""
        self.settle()
        self._sum = crc32(marshal.dumps((name, entity, values), _VERSION), self._sum)
