"""Tells which files were saved, once each save is over.

Editors write in several steps, people save several times in a row, and tools write many files at once: a file is told
when nothing has happened to it for a moment, and at the latest after a while.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Protocol

from engine.errors import EngineError

QUIET = 0.03
PATIENCE = 0.5


class Changes(Protocol):
    """What a `Watcher` gives."""

    def changes(self) -> set[Path]: ...

    def close(self) -> None: ...


class Saves:
    """The saved files of some folders. `take()` never waits; times are seconds of the machine's clock.

    `poll` looks at the files four times a second, where the file system sends no events.
    """

    def __init__(
        self,
        folders: Iterable[str | os.PathLike[str]],
        *,
        poll: bool = False,
        watcher: Changes | None = None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._watcher = _watcher(folders, poll) if watcher is None else watcher
        self._clock = clock
        self._open: dict[Path, tuple[float, float]] = {}  # path -> when first and last told

    def take(self) -> list[tuple[Path, float]]:
        """The files whose save is over, sorted, each with the time when its save was first noticed."""
        changed = self._watcher.changes()
        if not changed and not self._open:
            return []
        now = self._clock()
        for path in changed:
            first, _ = self._open.get(path, (now, now))
            self._open[path] = first, now
        over = [path for path, (first, last) in self._open.items() if now - last >= QUIET or now - first >= PATIENCE]
        return [(path, self._open.pop(path)[0]) for path in sorted(over)]

    def close(self) -> None:
        """Stop watching."""
        self._watcher.close()


def polls(watch: bool | str) -> bool:
    """What the games' `watch=` means: True or "poll"; `EngineError` for another word."""
    if watch not in (True, False, "poll"):
        raise EngineError(f'watch must be True, False or "poll", got {watch!r}')
    return watch == "poll"


def _watcher(folders: Iterable[str | os.PathLike[str]], poll: bool) -> Changes:
    """Imported late: what watches files takes a fifth of the time that importing the engine does."""
    from engine.reload.watch import Watcher

    return Watcher(folders, poll=poll)
