"""The bounded pools of blocking functions: threads, and processes for what needs a whole processor."""

from __future__ import annotations

import multiprocessing
import os
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from time import monotonic
from typing import Any

from engine.host.calls import Call
from engine.host.runtime import Ended
from engine.host.work import Encode, Outcome, back_again, failed, run_blocking, run_there


class Pools:
    """Threads and processes of one world; none before the first call that needs one."""

    def __init__(self, threads: int, encode: Encode, ended: Ended) -> None:
        self._size = max(1, threads)
        self._encode = encode
        self._ended = ended
        self._threads: ThreadPoolExecutor | None = None
        self._processes: ProcessPoolExecutor | None = None

    def start(self, call: Call) -> None:
        """Queue `call` for a thread or a process."""
        if call.function.process:
            future: Future[Any] = self._submit_there(call)
            call.began = monotonic()
        else:
            if self._threads is None:
                self._threads = ThreadPoolExecutor(self._size, thread_name_prefix="tidelock-blocking")
            future = self._threads.submit(run_blocking, call, self._encode)
        call.stop = future.cancel
        future.add_done_callback(partial(self._finish, call))

    def close(self) -> None:
        """Drop what has not begun, and wait for what runs."""
        for pool in (self._threads, self._processes):
            if pool is not None:
                pool.shutdown(wait=True, cancel_futures=True)

    def _submit_there(self, call: Call) -> Future[Any]:
        function = call.function
        work = partial(run_there, function.function, function.word, call.args, call.options)
        try:
            return self._there().submit(work)
        except BrokenProcessPool:
            self._processes = None
            return self._there().submit(work)

    def _there(self) -> ProcessPoolExecutor:
        if self._processes is None:
            # A forked copy of a process with threads may hang.
            context = multiprocessing.get_context("spawn")
            self._processes = ProcessPoolExecutor(min(self._size, os.cpu_count() or 1), mp_context=context)
        return self._processes

    def _finish(self, call: Call, future: Future[Any]) -> None:
        call.stop = None
        self._ended(call, self._outcome(call, future))

    def _outcome(self, call: Call, future: Future[Any]) -> Outcome:
        word = call.function.word
        if future.cancelled():
            return failed(f"{word}: CancelledError: it was dropped before it began")
        error = future.exception()
        if error is None:
            result = future.result()
            return back_again(call.function, result, self._encode) if call.function.process else result
        if isinstance(error, BrokenProcessPool):
            return failed(f"{word}: the process that ran it ended")
        return failed(
            f"{word}: {type(error).__name__}: {error}; a function for another process stands at the top "
            "level of its module, and its arguments and results can be pickled"
        )
