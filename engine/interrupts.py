"""Keeps Ctrl-C out of where it would be lost, or leave things half done."""

from __future__ import annotations

from _signal import getsignal, signal  # type: ignore[import-not-found]  # those of `signal` make enums: ten times as slow
from collections.abc import Callable
from signal import SIGINT
from typing import Any


class ctrl_c_later:
    """Let Ctrl-C come when this is over, also where that fails; within another one, when that is.

    Meanwhile it is what hears of Ctrl-C. A second one comes at once, as something may be stuck.
    """

    __slots__ = ("_came", "_handler")

    def __enter__(self) -> None:
        self._came: list[Any] = []
        self._handler: Callable[..., Any] | None = None
        handler = getsignal(SIGINT)
        if callable(handler) and type(handler) is not ctrl_c_later:
            self._handler = handler
            try:
                signal(SIGINT, self)
            except ValueError:  # on this thread it never comes
                self._handler = None

    def __call__(self, *told: Any) -> None:
        self._came.append(told)
        if len(self._came) > 1:
            assert self._handler is not None
            self._handler(*told)

    def __exit__(self, *_: object) -> None:
        if self._handler is not None:
            signal(SIGINT, self._handler)
            if self._came:
                self._handler(*self._came[0])
