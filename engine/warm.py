"""States that were made ahead of time, for births that have none to spare."""

from __future__ import annotations

from collections.abc import Iterator

from engine.limits import Limits
from engine.lua.actor import Actor


class Warm:
    """Those of one world, by their limits. Nothing else knows of them before they are taken. Safe from any thread."""

    def __init__(self) -> None:
        self.ready: list[tuple[Limits, list[Actor]]] = []

    def __len__(self) -> int:
        return sum(len(ready) for _, ready in self.ready)

    def __iter__(self) -> Iterator[Actor]:
        return iter([state for _, ready in self.ready for state in ready])

    def keep(self, count: int, limits: Limits, states: Iterator[Actor]) -> None:
        """Have so many ready: get those that are missing from `states`, let go of those that are too many."""
        ready = next((ready for known, ready in self.ready if known == limits), None)
        if ready is None:
            ready = []
            self.ready.append((limits, ready))
        while len(ready) < count:
            ready.append(next(states))
        del ready[count:]

    def take(self, limits: Limits, key: int) -> Actor | None:
        """One for good, whose first entity has that id; None where none is left."""
        for known, ready in self.ready:
            if ready and (known is limits or known == limits):  # they are many numbers
                try:
                    made = ready.pop()
                except IndexError:  # another thread was faster
                    return None
                made.key = key
                return made
        return None

    def close(self) -> None:
        self.ready.clear()
