"""Who ticks in a frame, made ready: most often they are those of the frame before.

A shift is good as long as nobody comes, leaves, or moves in with another.
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter, call
from typing import TYPE_CHECKING, Any

from engine.audiences import order_of
from engine.lua.actor import Actor
from engine.lua.rounds import Hear, ways_of

if TYPE_CHECKING:
    from engine.entity import Entity


class Shift:
    """States that tick one after the other."""

    __slots__ = ("_leads", "_send", "_used", "_ways", "actors", "order", "tellers")

    def __init__(self, actors: Sequence[Actor]) -> None:
        self.actors = actors
        self.order = order_of(actors)  # what the digest is told of them
        # Whom a tick tells of: the only entity, so that its state, which is cold, need not be touched; else the state.
        self.tellers: list[Any] = [actor.only or actor for actor in actors]
        self._send: Hear | None = None
        self._ways: list[Any] = []
        self._leads = 0  # when the ways were made
        self._used = False

    def ways(self, leads: int) -> tuple[Hear, list[Any]] | None:
        """What sends to each of them, and what it takes: the states are cold. None where some are in a process.

        `leads` is another number after the pump of a state came to lead again.
        """
        if self._send is None or self._leads != leads:
            if {*map(type, self.actors)} != {Actor}:
                return None
            self._leads = leads
            self._send, self._ways = call, [*map(_send, self.actors)]
        elif self._send is call and not self._used:  # most likely they will tick again and again
            self._used = True
            self._send, self._ways = ways_of(self._ways)
        return self._send, self._ways


def actor_of(teller: Entity | Actor) -> Actor:
    """The state of one of the `tellers`."""
    if isinstance(teller, Actor):
        return teller
    assert teller.actor is not None
    return teller.actor


_send = attrgetter("_send")

NOBODY = Shift(())
