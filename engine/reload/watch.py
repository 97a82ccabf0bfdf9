"""Tells which files changed below some folders, without ever making a frame wait.

Guarantee: a change made after the constructor returned is reported, at least once. Events of the file system
make that quick; a sweep over the folders, after each batch of events and once a second, finds what they do
not tell: files in a folder that was moved in, events that were dropped, a file system that sends none.
"""

import logging
import os
import re
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path
from threading import Event, Lock, Thread

from watchfiles import watch
from watchfiles.main import FileChange

from engine.errors import EngineError

_log = logging.getLogger("tidelock.watch")

# A batch ends with the first step that brings no news, so a save is seen after about two steps.
_STEP_MS = 10
_DEBOUNCE_MS = 50
_SWEEP_SECONDS = 1.0
_POLL_SECONDS = 0.25
_UNHEARD = 2  # sweeps in a row that find what no event told of, before there is no more waiting for events

_IGNORED_FOLDER = re.compile(r"\..*|__pycache__")
# Hidden, backup, swap and lock files; the bare number is the file with which vim tries whether it may write.
_IGNORED_FILE = re.compile(
    r"\..*|.*~|#.*#|\d+|flycheck_.*|.*___jb_(tmp|old)___|.*\.(sw[a-z]|tmp|bak|orig|pyc)", re.IGNORECASE
)

Stamp = tuple[int, int, int]  # modified (ns), size, inode: a save by renaming may keep the first two


class Watcher:
    """A thread that collects changed paths until `changes()` asks for them.

    `poll=True` looks every quarter of a second instead of waiting for events, for folders whose file system
    sends none (network drives, some containers). A watcher that finds twice that no event came does so by itself.
    """

    def __init__(self, folders: Iterable[str | os.PathLike[str]], *, poll: bool = False) -> None:
        self._roots = [_root(folder) for folder in folders]
        self._poll = poll
        self._unheard = 0
        self._seen = _sweep(self._roots)
        self._lock = Lock()
        self._changed: set[Path] = set()
        self._watching = Event()
        self._stop = Event()
        self._warned = ""
        self._thread = Thread(target=self._run, name="tidelock-watch", daemon=True)
        self._thread.start()
        self._watching.wait()

    def changes(self) -> set[Path]:
        """Files written, made, renamed (both names) or deleted since the last call; never waits.

        Absolute paths, links in the folder's own path resolved. One save may be told twice; a file that is
        written slowly is told before its end and again after it. Sort before acting: a set has no order.
        """
        if not self._changed:
            return set()
        with self._lock:
            changed, self._changed = self._changed, set()
        return changed

    def close(self) -> None:
        """Stop watching and end the thread; closing twice does nothing."""
        self._stop.set()
        self._thread.join(timeout=1.0)

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._follow()
            except (OSError, RuntimeError) as error:
                # No watches left, the folder is gone, a file name is no text: look without events, try again.
                self._warn(str(error))
                self._stop.wait(_POLL_SECONDS)
                self._look([])
            finally:
                self._watching.set()

    def _follow(self) -> None:
        """Look at each batch of events and at each tick, until stopped or until events prove to be lost."""
        for touched in self._batches():
            # Changes that no event told of: as when the folder was deleted and made again, and the events
            # still belong to the old one. Ask for them anew.
            found = self._look(touched)
            if touched:
                self._unheard = 0
            elif found:
                self._miss_events()
                return

    def _miss_events(self) -> None:
        """Something changed and no event told of it."""
        self._unheard += 1
        if self._unheard >= _UNHEARD and not self._poll:
            self._warn("files change without any")
            self._poll = True

    def _batches(self) -> Iterator[list[str]]:
        """Paths that events name; an empty batch is a tick."""
        if self._poll:
            self._watching.set()
            while not self._stop.wait(_POLL_SECONDS):
                yield []
            return
        for changes in self._events():
            yield [path for _, path in changes]

    def _events(self) -> Iterator[set[FileChange]]:
        return watch(
            *self._roots,
            watch_filter=None,  # its own filter would judge the folders *above* ours too
            debounce=_DEBOUNCE_MS,
            step=_STEP_MS,
            rust_timeout=int(_SWEEP_SECONDS * 1000),
            yield_on_timeout=True,
            stop_event=_StopAsked(self._stop, self._watching),
            ignore_permission_denied=True,
        )

    def _look(self, touched: list[str]) -> bool:
        """Queue what events name, then what a sweep finds besides; true if it found something.

        In this order because a sweep of big folders takes a while.
        """
        self._queue({path for path in touched if self._refresh(path)})
        found = _sweep(self._roots)
        besides = {path for path, _ in found.items() ^ self._seen.items()}
        self._queue(besides)
        self._seen = found
        return bool(besides)

    def _refresh(self, path: str) -> bool:
        """Note the stamp of a path that an event names; true if it is, or was, a file to report.

        An equal stamp is no reason to keep silent: two saves can fall into one tick of the file's clock.
        """
        if _is_ignored(path, self._roots):
            return False
        known = self._seen.pop(path, None)
        stamp = _stamp(path)
        if stamp is not None:
            self._seen[path] = stamp
        return (stamp or known) is not None

    def _queue(self, paths: set[str]) -> None:
        if paths:
            with self._lock:
                self._changed.update(map(Path, paths))

    def _warn(self, why: str) -> None:
        if why != self._warned:
            self._warned = why
            _log.warning("no file events (%s); looking every %s seconds instead", why, _POLL_SECONDS)


class _StopAsked:
    """The stop event as `watchfiles` sees it: being asked the first time proves that it is watching."""

    def __init__(self, stop: Event, watching: Event) -> None:
        self._stop = stop
        self._watching = watching

    def is_set(self) -> bool:
        self._watching.set()
        return self._stop.is_set()


def _root(folder: str | os.PathLike[str]) -> str:
    if not os.path.isdir(folder):
        raise EngineError(f'no folder "{os.fspath(folder)}" to watch')
    return os.path.realpath(folder)


def _sweep(roots: list[str]) -> dict[str, Stamp]:
    """The stamp of every file below `roots` that is not ignored."""
    found: dict[str, Stamp] = {}
    walked: set[str] = set()
    for root in roots:
        for folder, folders, files in os.walk(root, followlinks=True):
            real = os.path.realpath(folder)
            if real in walked:  # by a link to a folder around it, or given twice
                folders.clear()
                continue
            walked.add(real)
            folders[:] = [name for name in folders if not _IGNORED_FOLDER.fullmatch(name)]
            paths = (os.path.join(folder, name) for name in files if not _IGNORED_FILE.fullmatch(name))
            found.update((path, stamp) for path in paths if (stamp := _stamp(path)))
    return found


def _stamp(path: str) -> Stamp | None:
    try:
        status = os.stat(path)
    except OSError:
        return None
    return (status.st_mtime_ns, status.st_size, status.st_ino) if stat.S_ISREG(status.st_mode) else None


def _is_ignored(path: str, roots: list[str]) -> bool:
    """Only the part below the watched folder counts: a game may well live in a hidden folder."""
    for root in roots:
        if path.startswith(root + os.sep):
            *folders, name = path[len(root) + 1 :].split(os.sep)
            return _IGNORED_FILE.fullmatch(name) is not None or any(map(_IGNORED_FOLDER.fullmatch, folders))
    return True
