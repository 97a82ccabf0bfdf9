"""The time of a world, as its states are told of it."""

from __future__ import annotations

MAIL_ONLY, LATE, READY = -1, -2, -3
"""Phases of a frame, in place of how many fixed updates it has."""

CATCH_UP = 8
"""Most fixed updates in one frame; a longer frame loses the rest."""


class Clock:
    """Time as the states on it see it: `args` is what every pump is sent in this phase."""

    __slots__ = ("_lost", "_unspent", "args", "name", "now")

    def __init__(self, name: str) -> None:
        self.name = name
        self.now = 0.0
        self.args: tuple[float, float, int, int] = (0.0, 0.0, 0, MAIL_ONLY)
        self._lost = 0.0  # what rounding took from `now` (Kahan), so that 60 frames of 1/60 s are a second
        self._unspent = 0.0  # seconds that no fixed update has covered yet

    def advance(self, dt: float, frame: int, fixed_step: float) -> None:
        """Go on by `dt` seconds, with as many fixed updates as fit, within reason."""
        step = dt - self._lost
        now = self.now + step
        self._lost = (now - self.now) - step
        self.now = now
        self._unspent += dt
        steps = int(self._unspent / fixed_step + 1e-9)
        self._unspent -= steps * fixed_step
        self.args = (self.now, dt, frame, min(steps, CATCH_UP))

    def rest(self, frame: int) -> None:
        """Stand still for a frame: the states on this clock get mail only."""
        self.args = (self.now, 0.0, frame, MAIL_ONLY)

    def phase(self, phase: int) -> None:
        """The same time for another phase of the frame."""
        now, dt, frame, _ = self.args
        self.args = (now, dt, frame, phase)
