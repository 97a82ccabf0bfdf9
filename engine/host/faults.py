"""Errors of Python functions, as scripts get them: "scores.save: ValueError: no such player (scores.py:12)".

A script may catch such a string, wrap it or let it go; when it ends as a problem, its text leads back to the
exception.
"""

from __future__ import annotations

import traceback
from collections import OrderedDict
from pathlib import Path
from types import TracebackType
from typing import NamedTuple

from engine.errors import ScriptError

REMEMBERED = 32


class Failure(NamedTuple):
    """Why a call gave no value: what the script is told, and the exception behind it."""

    text: str
    error: BaseException | None = None


class Elsewhere(Exception):
    """The cause of an exception without its frames, which ran in another process or must not be held: its traceback."""

    def __init__(self, trace: str) -> None:
        super().__init__(trace)
        self.trace = trace

    def __str__(self) -> str:
        return f"\n{self.trace}"


def failure_of(word: str, error: BaseException) -> Failure:
    """What the host function `word` raised, without the frame that called it and caught `error`."""
    trace = error.__traceback__
    if trace is not None and trace.tb_next is not None:
        error = error.with_traceback(trace.tb_next)
    return Failure(f"{word}: {spoken(error)}{_place(error.__traceback__)}", error)


def spoken(error: BaseException) -> str:
    """Type and message of an exception, on one line where the message is one."""
    message = _safe(error)
    return f"{type(error).__name__}: {message}" if message else type(error).__name__


class Faults:
    """The newest failures of a world's host functions, by their text."""

    def __init__(self) -> None:
        self._recent: OrderedDict[str, BaseException] = OrderedDict()

    def remember(self, failure: Failure, *, frames: bool = True) -> None:
        """Keep `failure`; without its `frames`, where those would hold the state that made the call."""
        if failure.error is None:
            return
        if not frames:
            _let_go_of_frames(failure.error)
        self._recent[failure.text] = failure.error
        self._recent.move_to_end(failure.text)
        if len(self._recent) > REMEMBERED:
            self._recent.popitem(last=False)

    def explain(self, error: ScriptError) -> None:
        """Give `error` the exception that its message tells of as its cause, and that one's traceback."""
        for text in reversed(self._recent):
            if text in error.message:
                cause = self._recent[text]
                error.__cause__ = cause
                error.traceback += f"\n\n{_told(cause)}"
                return

    def clear(self) -> None:
        self._recent.clear()


def _told(error: BaseException) -> str:
    """The traceback of an exception, with those that led to it."""
    origin = error.__cause__
    return origin.trace if isinstance(origin, Elsewhere) else "".join(traceback.format_exception(error)).rstrip()


def _let_go_of_frames(error: BaseException) -> None:
    error.__cause__ = Elsewhere(_told(error))
    error.__context__ = error.__traceback__ = None


def _place(trace: TracebackType | None) -> str:
    """ " (scores.py:12)": the last line in the host function's own file, whatever it called from there."""
    if trace is None:
        return ""
    frames = traceback.extract_tb(trace)
    own = [frame for frame in frames if frame.filename == frames[0].filename]
    return f" ({Path(own[-1].filename).name}:{own[-1].lineno})"


def _safe(error: BaseException) -> str:
    try:
        message = str(error)
    except Exception:
        message = "its message cannot be read"
    return message.encode(errors="backslashreplace").decode()
