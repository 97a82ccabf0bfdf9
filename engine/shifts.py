"""Who ticks in a frame, made ready: most often nearly all of them ticked in the frame before.

A shift is good as long as nobody comes, leaves, or moves in with another.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterable
from operator import attrgetter, call
from typing import TYPE_CHECKING, Any

from engine.lua.actor import Actor
from engine.lua.rounds import Hear, way_of, ways_of

if TYPE_CHECKING:
    from engine.entity import Entity


class Shift:
    """States that tick one after the other.

    Who wakes is put in his place, and who falls asleep is taken out: the others, which are cold, are not looked at.
    """

    __slots__ = ("_leads", "_send", "_used", "_ways", "actors", "order", "tellers")

    def __init__(self, actors: list[Actor]) -> None:
        self.actors = actors
        # What the digest is told of them: how many, and the key of each.
        self.order = array("q", (len(actors), *map(_key, actors)))
        # Whom a tick tells of: the only entity, so that its state, which is cold, need not be touched; else the state.
        self.tellers: list[Any] = [actor.only or actor for actor in actors]
        self._send: Hear | None = None
        self._ways: list[Any] = []
        self._leads = 0  # when the ways were made
        self._used = False

    def join(self, actors: Iterable[Actor]) -> None:
        """These wake; some may be there already."""
        order = self.order
        for actor in actors:
            place = bisect_left(order, actor.key, 1)
            if place < len(order) and order[place] == actor.key:
                continue
            order.insert(place, actor.key)
            order[0] += 1
            self.actors.insert(place - 1, actor)
            self.tellers.insert(place - 1, actor.only or actor)
            if self._send is not None and type(actor) is Actor:
                self._ways.insert(place - 1, way_of(actor, self._send))
            else:
                self._send = None

    def leave(self, actors: Iterable[Actor]) -> None:
        """These sleep."""
        for actor in actors:
            place = bisect_left(self.order, actor.key, 1)
            del self.order[place], self.actors[place - 1], self.tellers[place - 1]
            self.order[0] -= 1
            if self._send is not None:
                del self._ways[place - 1]

    def ways(self, leads: int) -> tuple[Hear, list[Any]] | None:
        """What sends to each of them, and what it takes: the states are cold. None where some are in a process.

        `leads` is another number after the pump of a state came to lead again.
        """
        if self._send is None or self._leads != leads:
            if {*map(type, self.actors)} != {Actor}:
                return None
            self._leads, self._used = leads, False
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


_key = attrgetter("key")
_send = attrgetter("_send")

NOBODY = Shift([])
