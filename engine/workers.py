"""Ticks the states of a round on several threads. lupa gives up the GIL while Lua runs, so they really run at once.

Guarantee: the same as ticking them one after the other. Results keep their order, and a question that changes the
world (a new id, a host function) waits until every state before the asking one has ended its tick.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any

from engine.lua.actor import Actor, Result
from engine.lua.rounds import tick
from engine.lua.state import Ask

PARTS = 8
"""Parts per thread that a round is cut into: enough to even out long ticks, few enough to cost nothing."""

READS = frozenset((b"find", b"down", b"mouse", b"shared", b"shape"))
"""Questions that only read what no tick changes; they need not wait."""


class Workers:
    """`count` threads, the calling one among them."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._pool = ThreadPoolExecutor(count - 1, thread_name_prefix="tidelock-worker")
        self._here = threading.local()
        self._turn = threading.Condition()
        self._ended: list[bool] = []
        self._first = 0  # the first part that has not ended

    def tick(self, actors: Sequence[Actor]) -> list[Result]:
        """One tick of each actor; the results in the order of the actors."""
        if len(actors) < 2 * self._count:
            return tick(actors)
        size = -(-len(actors) // (self._count * PARTS))
        parts = [actors[start : start + size] for start in range(0, len(actors), size)]
        results: list[list[Result]] = [[] for _ in parts]
        self._ended, self._first = [False] * len(parts), 0
        numbers = iter(range(len(parts)))
        lock = threading.Lock()

        def work() -> None:
            while True:
                with lock:
                    number = next(numbers, None)
                if number is None:
                    return
                self._here.part = number
                results[number] = tick(parts[number])
                self._here.part = None
                self._end(number)

        futures: list[Future[None]] = [self._pool.submit(work) for _ in range(self._count - 1)]
        work()
        wait(futures)
        return [result for part in results for result in part]

    def in_turn(self, ask: Ask) -> Ask:
        """`ask` for states that tick here: what changes the world is answered in the order of the states."""

        def answer(actor: Actor, word: bytes, *args: Any) -> tuple[Any, ...]:
            part = getattr(self._here, "part", None)
            if part is not None and word not in READS:
                with self._turn:
                    self._turn.wait_for(lambda: self._first == part)
            return ask(actor, word, *args)

        return answer

    def close(self) -> None:
        self._pool.shutdown()

    def _end(self, number: int) -> None:
        with self._turn:
            self._ended[number] = True
            while self._first < len(self._ended) and self._ended[self._first]:
                self._first += 1
            self._turn.notify_all()


def ticker(workers: Workers | None) -> Callable[[Sequence[Actor]], list[Result]]:
    """What ticks the states of a round."""
    return tick if workers is None else workers.tick
