"""Who hears an event, made ready: states that each hear it once need no inbox for it.

An audience is good as long as nobody begins or ceases to listen, comes, or leaves.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from operator import attrgetter
from typing import Any, NamedTuple

from engine.bus.routes import Subscription
from engine.lua.actor import Actor
from engine.lua.clock import Clock
from engine.lua.rounds import Hear, ways_of

_MOST = 4096  # names that are made up as the game runs must not fill the memory


class Audience(NamedTuple):
    """States that hear the same event, in the order in which they tick, and the callback of each."""

    actors: list[Actor]
    hear: Hear
    ways: Sequence[Any]
    """What `hear` takes for each of them, kept at hand: the states themselves are cold."""
    callbacks: list[int]
    clock: Clock
    order: bytes
    """What the digest is told of them."""


class Audiences:
    """The audiences of a world, by the event's name."""

    def __init__(self, actors: dict[int, Actor]) -> None:
        self._actors = actors
        self._known: dict[bytes, Audience | None] = {}
        self.forget = self._known.clear
        """Somebody came, left, or listens to something else than before."""

    def find(self, name: bytes, subscriptions: Sequence[Subscription]) -> Audience | None:
        """Those who hear `name`; None where they are too different for that."""
        if name not in self._known:
            if len(self._known) >= _MOST:
                self.forget()
            self._known[name] = self._gather(subscriptions)
        return self._known[name]

    def _gather(self, subscriptions: Sequence[Subscription]) -> Audience | None:
        callbacks: dict[Actor, int] = {}
        for entity, callback, coalesce in subscriptions:
            actor = self._actors.get(entity)
            if coalesce or actor in callbacks or type(actor) is not Actor:
                return None
            callbacks[actor] = callback
        actors = sorted(callbacks, key=_key)
        if not actors or any(actor.clock is not actors[0].clock for actor in actors):
            return None
        numbers = [callbacks[actor] for actor in actors]
        hear, ways = ways_of([actor.hear for actor in actors])
        return Audience(actors, hear, ways, numbers, actors[0].clock, order_of(actors))


def order_of(actors: Sequence[Actor]) -> bytes:
    """What the digest is told of a round in which these states ticked."""
    return array("q", (len(actors), *map(_key, actors))).tobytes()


_key = attrgetter("key")
