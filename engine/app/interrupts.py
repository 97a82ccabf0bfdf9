"""Keeps Ctrl-C out of where it would be lost, or leave things half done."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def ctrl_c_later() -> Iterator[None]:
    """Let Ctrl-C come when this is over; a second one comes at once, as something may be stuck."""
    handler = signal.getsignal(signal.SIGINT)
    if not callable(handler) or threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[Any] = []

    def note(*told: Any) -> None:
        came.append(told)
        if len(came) > 1:
            handler(*told)

    signal.signal(signal.SIGINT, note)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)
    if came:
        handler(*came[0])
