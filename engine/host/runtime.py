"""Where coroutines run: in an asyncio loop that somebody runs already, or in one on a thread of our own."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import deque
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from engine.host.calls import Call
from engine.host.faults import failure_of
from engine.host.work import Encode, Outcome, failed, run_coroutine

_log = logging.getLogger("tidelock")

PATIENCE = 5.0
"""Seconds that closing waits for coroutines that do not end when they are cancelled."""

Ended = Callable[[Call, Outcome], None]


def running_loop() -> asyncio.AbstractEventLoop | None:
    """The asyncio loop that runs on this thread."""
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


class LoopRuntime:
    """Runs calls in an asyncio loop; may be told to from any thread."""

    def __init__(self, loop: asyncio.AbstractEventLoop, encode: Encode, ended: Ended) -> None:
        self.loop = loop
        self._encode = encode
        self._ended = ended
        self._new: deque[Call] = deque()
        self._told = False
        self._endings: set[asyncio.Task[Any]] = set()  # asyncio itself holds its tasks weakly

    def start(self, call: Call) -> None:
        """Begin `call` in the loop; many calls in a row wake it once."""
        call.runtime = self
        self._new.append(call)
        if running_loop() is self.loop:
            self._begin_all()
        elif not self._told:
            self._told = True
            self.loop.call_soon_threadsafe(self._begin_all)

    def end(self, ending: Callable[[], Awaitable[object]]) -> None:
        """Run a module's ending in the loop, waiting for it where that is possible."""
        if running_loop() is self.loop:
            task = self.loop.create_task(_ending(ending))
            self._endings.add(task)
            task.add_done_callback(self._endings.discard)
        elif self.loop.is_running():
            _wait(asyncio.run_coroutine_threadsafe(_ending(ending), self.loop))

    def close(self) -> None:
        """A loop that is not ours goes on."""

    def _begin_all(self) -> None:
        self._told = False  # before the queue is emptied: a call that comes meanwhile tells again
        while self._new:
            self._begin(self._new.popleft())

    def _begin(self, call: Call) -> None:
        task = self.loop.create_task(run_coroutine(call, self._encode))
        call.stop = partial(self._stop, task)
        task.add_done_callback(partial(self._finish, call))
        if call.dropped:
            task.cancel()

    def _stop(self, task: asyncio.Task[Outcome]) -> None:
        if running_loop() is self.loop:
            task.cancel()
        elif not self.loop.is_closed():
            self.loop.call_soon_threadsafe(task.cancel)

    def _finish(self, call: Call, task: asyncio.Task[Outcome]) -> None:
        call.stop = None
        if task.cancelled():
            self._ended(call, failed(f"{call.function.word}: CancelledError: its asyncio loop ended"))
        elif (error := task.exception()) is not None:
            self._ended(call, Outcome(None, failure_of(call.function.word, error)))
        else:
            self._ended(call, task.result())


class Background(LoopRuntime):
    """A loop on a thread of its own, from the first call until the world closes."""

    def __init__(self, encode: Encode, ended: Ended) -> None:
        super().__init__(asyncio.new_event_loop(), encode, ended)
        self._stopping = asyncio.Event()
        started = threading.Event()
        loop, stopping = self.loop, self._stopping
        self._thread = threading.Thread(
            target=lambda: _serve(loop, stopping, started), name="tidelock-host", daemon=True
        )
        self._thread.start()
        started.wait()

    def stop(self) -> None:
        """Cancel what runs, and let the thread end."""
        if not self.loop.is_closed():
            self.loop.call_soon_threadsafe(self._stopping.set)

    def close(self) -> None:
        """Cancel what runs, and end the thread."""
        self.stop()
        self._thread.join(PATIENCE)
        if self._thread.is_alive():
            _log.error("a host coroutine did not end within %g s of its cancellation; its thread is left", PATIENCE)


def _serve(loop: asyncio.AbstractEventLoop, stopping: asyncio.Event, started: threading.Event) -> None:
    async def until_stopped() -> None:
        started.set()
        await stopping.wait()

    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        runner.run(until_stopped())


async def _ending(ending: Callable[[], Awaitable[object]]) -> None:
    try:
        await ending()
    except Exception:
        _log.exception("the ending of a host module failed")


def _wait(future: Any) -> None:
    try:
        future.result(PATIENCE)
    except TimeoutError:
        future.cancel()
        _log.error("the ending of a host module did not end within %g s", PATIENCE)
