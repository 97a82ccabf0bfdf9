"""Keeps Ctrl-C out of where it would be lost, or leave things half done."""

from __future__ import annotations

from _signal import getsignal, signal  # type: ignore[import-not-found]  # those of `signal` make enums: ten times as slow
from collections.abc import Callable
from signal import SIGINT
from threading import get_ident, main_thread
from typing import Any


class _Note:
    """What hears of Ctrl-C meanwhile; a second one comes at once, as something may be stuck."""

    def __init__(self, handler: Callable[..., Any]) -> None:
        self.handler = handler
        self.came: list[Any] = []

    def __call__(self, *told: Any) -> None:
        self.came.append(told)
        if len(self.came) > 1:
            self.handler(*told)


class ctrl_c_later:
    """Let Ctrl-C come when this is over, also where that fails; within another one, when that is."""

    __slots__ = ("_note",)

    def __enter__(self) -> None:
        self._note: _Note | None = None
        handler = getsignal(SIGINT)
        if callable(handler) and type(handler) is not _Note and get_ident() == main_thread().ident:
            self._note = _Note(handler)
            signal(SIGINT, self._note)

    def __exit__(self, *_: object) -> None:
        note = self._note
        if note is not None:
            signal(SIGINT, note.handler)
            if note.came:
                note.handler(*note.came[0])
