"""Decides which state wakes next.

States due at the same time wake in id order. A state that sleeps costs nothing until then.
"""

from __future__ import annotations

import math
from heapq import heapify, heappop, heappush
from operator import attrgetter

from engine.lua.actor import Actor

_STALE = 64  # entries whose time has changed, before they are swept out


class Wakes:
    """Wake times of the sleeping states of one clock. An actor has one wake time at most: the newest.

    `again` are those that wake in the next frame, in id order, as most do in every frame; the loop puts them there
    itself, and it is the loop's list. `soon` are others that do.
    """

    def __init__(self) -> None:
        self.again: list[Actor] = []
        self.soon: dict[Actor, None] = {}
        # Ids, not actors: an entry stays until its time, and must not keep a state that has ended.
        self._heap: list[tuple[float, int, int]] = []
        self._sleeping: dict[int, Actor] = {}
        self._pushed = 0

    def at(self, actor: Actor, time: float | None) -> None:
        """Wake `actor` at `time` and not earlier; `None` forgets its wake time."""
        if actor.wake != time:
            actor.wake = time
            if time is None:
                self._sleeping.pop(actor.key, None)
                return
            self._sleeping[actor.key] = actor
            self._pushed += 1
            heappush(self._heap, (time, self._pushed, actor.key))
            if len(self._heap) > 2 * len(self._sleeping) + _STALE:
                self._sweep()

    def forget(self, actor: Actor) -> None:
        """Never wake `actor` again."""
        actor.wake = None
        if self._sleeping.get(actor.key) is actor:
            del self._sleeping[actor.key]
        if self.again:
            self.mingle()
        self.soon.pop(actor, None)

    def mingle(self) -> None:
        """Let those of `again` be among `soon`, so that others can come."""
        self.soon.update(dict.fromkeys(self.again))
        self.again = []

    def earliest(self, now: float) -> float:
        """When the next state may wake: `now` where one wants the next frame, infinity where none sleeps."""
        if self.again or self.soon:
            return now
        return self._heap[0][0] if self._heap else math.inf

    def sleeping(self) -> list[Actor]:
        """Those that have a wake time."""
        return list(self._sleeping.values())

    def _sweep(self) -> None:
        """Drop the entries of those that woke, or ended, before their time."""
        self._heap = [
            (actor.wake, place, key)
            for place, (key, actor) in enumerate(self._sleeping.items(), 1)
            if actor.wake is not None
        ]
        heapify(self._heap)

    def due(self, now: float) -> tuple[list[Actor], list[Actor]]:
        """The actors to tick at `now`, none of which has a wake time any more: `again`, and the others in id order."""
        again, self.again = self.again, []
        soon, self.soon = self.soon, {}
        heap = self._heap
        while heap and heap[0][0] <= now:
            time, _, key = heappop(heap)
            actor = self._sleeping.get(key)
            if actor is not None and actor.wake == time:
                del self._sleeping[key]
                actor.wake = None
                soon[actor] = None
        return again, sorted(soon, key=_key) if soon else []


_key = attrgetter("key")
