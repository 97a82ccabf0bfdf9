"""Decides which state wakes next.

States due at the same time wake in id order. A state that sleeps costs nothing until then.
"""

from __future__ import annotations

from heapq import heappop, heappush

from engine.lua.actor import Actor


class Wakes:
    """Wake times of the sleeping states of one clock. An actor has one wake time at most: the newest."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Actor]] = []
        self._pushed = 0
        self._next: list[Actor] = []
        self._sorted = True
        self._stale = False

    def next_frame(self, actor: Actor) -> None:
        """Wake `actor` in the next frame; asking twice is asking once."""
        if not actor.awake:
            actor.awake = True
            if self._next and self._next[-1].key > actor.key:
                self._sorted = False
            self._next.append(actor)

    def at(self, actor: Actor, time: float | None) -> None:
        """Wake `actor` at `time` and not earlier; `None` forgets its wake time."""
        if actor.wake != time:
            actor.wake = time
            if time is not None:
                self._pushed += 1
                heappush(self._heap, (time, self._pushed, actor))

    def forget(self, actor: Actor) -> None:
        """Never wake `actor` again."""
        actor.wake = None
        if actor.awake:
            actor.awake = False
            self._stale = True

    def due(self, now: float) -> list[Actor]:
        """The actors to tick at `now`, in id order. They have no wake time any more."""
        awake, self._next = self._next, []
        if self._stale:
            awake = [actor for actor in awake if actor.awake]
            self._stale = False
        heap = self._heap
        while heap and heap[0][0] <= now:
            time, _, actor = heappop(heap)
            if actor.wake == time:
                actor.wake = None
                if not actor.awake:
                    actor.awake = True
                    awake.append(actor)
                    self._sorted = False
        if not self._sorted:
            awake.sort(key=_key)
            self._sorted = True
        for actor in awake:
            actor.awake = False
        return awake


def _key(actor: Actor) -> int:
    return actor.key
