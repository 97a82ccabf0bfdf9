"""Tells when the next frame is due and how long the last one took."""

import time
from collections.abc import Callable
from typing import Protocol


class Pace(Protocol):
    """What a loop asks between two frames."""

    def wait(self) -> float:
        """Seconds to sleep before the next frame."""

    def dt(self) -> float:
        """Seconds since the frame before; called once a frame, when it begins."""


class RealTime:
    """`fps` frames a second by the clock; a machine that cannot keep up gets fewer."""

    def __init__(self, fps: float, clock: Callable[[], float] = time.perf_counter) -> None:
        self._period = 1 / fps
        self._clock = clock
        self._began = self._due = clock()

    def wait(self) -> float:
        return max(0.0, self._due - self._clock())

    def dt(self) -> float:
        began = self._clock()
        dt, self._began = began - self._began, began
        # A frame that came late is not made up for: two in a row would be a jerk.
        self._due = max(self._due, began - self._period) + self._period
        return dt


class FixedTime:
    """Frames of 1/`fps` seconds, one after the other without waiting: the same on every run."""

    def __init__(self, fps: float) -> None:
        self._period = 1 / fps

    def wait(self) -> float:
        return 0.0

    def dt(self) -> float:
        return self._period
