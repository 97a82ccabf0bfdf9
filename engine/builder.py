"""Makes bare states on a thread of its own, beside the game, while a reload of many entities is on its way.

lupa gives up the GIL while Lua runs, and a game sleeps in most frames: there the thread finds its time. What it makes
knows no script and no data, so nobody can see who made a state, or when.
"""

from __future__ import annotations

from collections import deque
from threading import Event, Thread

from engine.limits import Limits
from engine.lua.bare import Bare, make_bare

MANY = 64
"""Fewer states than this are made by the frames themselves: a thread costs more than it brings."""


class Builder:
    """Up to `count` bare states, each with these files of the prelude loaded. Its thread ends by itself."""

    def __init__(self, count: int, lua: str, limits: Limits, seed: int, modules: tuple[str, ...] = ()) -> None:
        self._wanted = count
        self._made_with = lua, limits, seed
        self._modules = modules
        self._ready: deque[Bare] = deque()
        self._stop = Event()
        self._thread: Thread | None = None
        if count >= MANY:
            self._thread = Thread(target=self._run, name="tidelock-reload", daemon=True)
            self._thread.start()

    @property
    def running(self) -> bool:
        """True while the thread makes states."""
        return self._thread is not None and self._thread.is_alive()

    def take(self) -> Bare:
        """One that is ready, else one that is made now."""
        self._wanted -= 1
        if self._ready:
            return self._ready.popleft()
        return self._make()

    def close(self) -> list[object]:
        """End the thread; gives what is left over, whose freeing takes time. Closing twice does nothing."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        left, self._ready = list(self._ready), deque()
        return [*left]

    def _run(self) -> None:
        # One too many may be made, as the other thread takes its own meanwhile. An error, as of memory, ends this one:
        # who then makes a state in a frame meets it there.
        while not self._stop.is_set() and len(self._ready) < self._wanted:
            try:
                self._ready.append(self._make())
            except Exception:
                return

    def _make(self) -> Bare:
        bare = make_bare(*self._made_with)
        bare.runtime.load(self._modules)
        return bare
