"""Who ticks in a frame, made ready: most often they are those of the frame before.

A shift is good as long as nobody comes, leaves, or moves in with another.
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter, call
from typing import TYPE_CHECKING, Any

from engine.audiences import order_of
from engine.lua.actor import Actor, Hear, ways_of

if TYPE_CHECKING:
    from engine.entity import Entity


class Shift:
    """States that tick one after the other."""

    __slots__ = ("_send", "_used", "_ways", "actors", "entities", "order")

    def __init__(self, actors: Sequence[Actor]) -> None:
        self.actors = actors
        self.order = order_of(actors)  # what the digest is told of them
        self.entities: list[Entity] = [*map(_only, actors)]  # of each the only one; None where there are many
        self._send: Hear | None = None
        self._ways: Sequence[Any] = ()
        self._used = False

    def ways(self) -> tuple[Hear, Sequence[Any]] | None:
        """What sends to each of them, and what it takes: the states are cold. None where some are in a process."""
        if self._send is None:
            if {*map(type, self.actors)} != {Actor}:
                return None
            self._send, self._ways = call, [*map(_send, self.actors)]
        elif self._send is call and not self._used:  # most likely they will tick again and again
            self._used = True
            self._send, self._ways = ways_of(self._ways)
        return self._send, self._ways


_only = attrgetter("only")
_send = attrgetter("_send")

NOBODY = Shift(())
