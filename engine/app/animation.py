"""Remembers what scripts asked of their own sprites.

`sprite.play(sheet, fps)`, `sprite.stop()` and `sprite.flash(color, seconds)` mean the entity that calls them.
Everything runs on the world's clock, so a paused world stands still.
"""

from collections.abc import Callable
from typing import NamedTuple

from engine.app.arguments import RGBA, length, name
from engine.app.arguments import color as color_of

# A flash fades in so many steps, each one picture.
STEPS = 8


class _Play(NamedTuple):
    sheet: str
    fps: float
    since: float


class _Flash(NamedTuple):
    ink: RGBA
    since: float
    seconds: float


class Animations:
    """The animations and flashes of entities, by id."""

    def __init__(self) -> None:
        self._now = 0.0
        self._plays: dict[int, _Play] = {}
        self._flashes: dict[int, _Flash] = {}
        self.verbs: dict[str, Callable[..., None]] = {
            "play": self._play,
            "stop": self._stop,
            "flash": self._flash,
        }

    def advance(self, now: float, alive: set[int]) -> None:
        """Go to the time `now`, and forget entities that are no more."""
        self._now = now
        for gone in self._plays.keys() - alive:
            del self._plays[gone]
        for gone in self._flashes.keys() - alive:
            del self._flashes[gone]

    def frame(self, entity: int) -> tuple[str, int] | None:
        """The sheet and frame that plays now; `None` when the entity's own `sprite` and `frame` hold."""
        play = self._plays.get(entity)
        return None if play is None else (play.sheet, int((self._now - play.since) * play.fps))

    def flash_of(self, entity: int) -> RGBA:
        """The colour over the sprite; its fourth part tells how much of the sprite it covers."""
        flash = self._flashes.get(entity)
        if flash is None:
            return 0, 0, 0, 0
        left = 1 - (self._now - flash.since) / flash.seconds
        if left <= 0:
            del self._flashes[entity]
            return 0, 0, 0, 0
        red, green, blue, most = flash.ink
        return red, green, blue, most * min(STEPS, int(left * STEPS) + 1) // STEPS

    def _play(self, sender: int, sheet: object, fps: object = 8) -> None:
        """Asking again for what plays goes on where it is, so `update` may ask every frame."""
        wanted = _Play(name(sheet, "sheet"), length(fps, "fps"), self._now)
        playing = self._plays.get(sender)
        if playing is None or playing[:2] != wanted[:2]:
            self._plays[sender] = wanted

    def _stop(self, sender: int) -> None:
        self._plays.pop(sender, None)

    def _flash(self, sender: int, color: object, seconds: object = 0.2) -> None:
        lasting = length(seconds, "seconds")
        if lasting > 0:
            self._flashes[sender] = _Flash(color_of(color), self._now, lasting)
