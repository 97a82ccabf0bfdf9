"""Makes bare states beside the game, for the reload that is on its way and for the one that the next save brings.

They know no script and no data, only what the data of the last version looked like, so nobody can see who made a state,
or when. A thread makes them between the frames, where a game waits: inside a frame two threads would only wait for each
other, as Python runs one at a time.
"""

from __future__ import annotations

import time
from collections import deque
from threading import Event, Thread

from engine.limits import Limits
from engine.lua.bare import Bare, adopted_ahead, make_bare

MANY = 64
"""Fewer states than this are made by whoever needs them: a thread costs more than it brings."""

MOST = 1000
"""Of those that are kept for the next reload; each is some 150 KB."""


Habits = tuple[bytes | bool, bytes]
"""The shape of the data that an entity of a script had, or False, and the names of the libraries that it has used."""


class Builder:
    """Bare states with these limits, each with these files of the prelude loaded. Its thread ends by itself."""

    def __init__(self, lua: str, limits: Limits, seed: int, fixed_step: float) -> None:
        self.made_with = lua, limits, seed, fixed_step
        self._modules: frozenset[str] = frozenset()
        self._habits: Habits = (False, b"")
        self._wanted = 0
        self._ready: deque[tuple[Bare, frozenset[str]]] = deque()
        self._between_frames = Event()
        self._between_frames.set()
        self._stop = Event()
        self._thread: Thread | None = None

    def __len__(self) -> int:
        """How many are ready."""
        return len(self._ready)

    @property
    def running(self) -> bool:
        """True while the thread makes states."""
        return self._thread is not None and self._thread.is_alive()

    def want(self, count: int, modules: frozenset[str] = frozenset(), habits: Habits = (False, b"")) -> None:
        """Have so many ready, with these files and all that were ever asked for, for entities that are like this."""
        self._modules |= modules
        if habits[0]:
            self._habits = habits
        self._wanted = count
        if count - len(self._ready) >= MANY and not self.running:
            self._thread = Thread(target=self._run, name="tidelock-reload", daemon=True)
            self._thread.start()

    def take(self) -> Bare:
        """One that is ready, else one that is made now."""
        self._wanted = max(0, self._wanted - 1)
        if not self._ready:
            return self._make()[0]
        return self._complete(*self._ready.popleft())[0]

    def make(self, deadline: float) -> bool:
        """Make what is wanted on this thread, and complete what was made before; False where time ran out.

        While the other thread makes them, this one lets it: at the same time each would wait for the other.
        """
        if self._thread is not None and self._thread.is_alive():
            self._thread.join(max(0.0, deadline - time.perf_counter()))
            return not self._thread.is_alive()
        while len(self._ready) < self._wanted:
            if time.perf_counter() > deadline:
                return False
            self._ready.append(self._make())
        while self._ready and self._ready[0][1] != self._modules:  # the oldest come first
            if time.perf_counter() > deadline:
                return False
            self._ready.append(self._complete(*self._ready.popleft()))
        return True

    def pause(self) -> None:
        """A frame begins: the thread waits as soon as it has made the state that it is at."""
        self._between_frames.clear()

    def go_on(self) -> None:
        self._between_frames.set()

    def close(self) -> list[object]:
        """End the thread; gives what is left over, whose freeing takes time. Closing twice does nothing."""
        self._stop.set()
        self._between_frames.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        left, self._ready = list(self._ready), deque()
        return [*left]

    def _run(self) -> None:
        # One too many may be made, as the other thread takes its own meanwhile. An error, as of memory, ends this one:
        # who then makes a state in a frame meets it there.
        while len(self._ready) < self._wanted:
            self._between_frames.wait()
            if self._stop.is_set():
                return
            try:
                self._ready.append(self._make())
            except Exception:
                return

    def _complete(self, bare: Bare, loaded: frozenset[str]) -> tuple[Bare, frozenset[str]]:
        """A state with the files that have been asked for since it was made."""
        modules = self._modules
        bare.runtime.load(sorted(modules - loaded))
        return bare, modules

    def _make(self) -> tuple[Bare, frozenset[str]]:
        modules = self._modules
        lua, limits, seed, fixed_step = self.made_with
        bare = adopted_ahead(make_bare(lua, limits, seed), fixed_step)
        bare.runtime.load([*sorted(modules), "early"])
        bare.runtime.get("reload", "make_ahead")(*self._habits)
        return bare, modules
