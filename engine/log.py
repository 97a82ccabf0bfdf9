"""What scripts log and print: the newest lines, which Python's `logging` gets too."""

from __future__ import annotations

import logging
from collections import deque
from typing import NamedTuple

from engine.report import shown

LINES = 1000
"""How many lines a world keeps."""

_log = logging.getLogger("tidelock.script")
_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warn": logging.WARNING, "error": logging.ERROR}


class LogLine(NamedTuple):
    """One line that a script logged or printed."""

    level: str
    text: str
    entity: int
    script: str
    line: int


class Log(deque[LogLine]):
    """The newest lines of a world, oldest first."""

    def __init__(self) -> None:
        super().__init__(maxlen=LINES)

    def say(self, level: str, words: str, entity: int, script: str, line: int) -> None:
        """Add a line; entity 0 and line 0 stand for none."""
        self.append(LogLine(level, words, entity, script, line))
        _log.log(_LEVELS[level], "%s:%s: %s", script, line, shown(words))
