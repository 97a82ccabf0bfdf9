"""Decides which part of the world is seen.

Until a script moves it, the world's (0, 0) is the upper left corner of the picture.
"""

import math
from collections.abc import Callable, Iterable
from random import Random

import pygame

from engine.app.arguments import RGBA, VAST, color, length, number, pixel
from engine.app.ports import Entity

# How fast the camera closes in on what it follows: after 1/CLOSING seconds about a third of the way is left.
CLOSING = 8.0
FARTHEST_SHAKE = 64.0

_CLEAR = (0, 0, 0, 0)


class Camera:
    """Follows, moves, shakes and fades, on the world's clock; obeys `camera.*`."""

    def __init__(self, size: tuple[int, int]) -> None:
        self._size = size
        self._x, self._y = size[0] / 2, size[1] / 2
        self._target: int | None = None
        self._placed = False
        self._shake = self._shake_left = self._shake_seconds = 0.0
        self._jolt = 0.0, 0.0
        self._fade_from = self._fade_to = _CLEAR
        self._fade_left = self._fade_seconds = 0.0
        # Of its own: what is seen must not take numbers from the world's seeded ones.
        self._random = Random(0)
        self.verbs: dict[str, Callable[..., None]] = {
            "follow": self._follow,
            "move": self._move,
            "shake": self._shake_for,
            "fade": self._fade,
        }

    @property
    def corner(self) -> tuple[int, int]:
        """The world's pixel in the upper left corner of the picture."""
        x, y = self._x + self._jolt[0], self._y + self._jolt[1]
        return pixel(x - self._size[0] / 2), pixel(y - self._size[1] / 2)

    def advance(self, dt: float, entities: Iterable[Entity]) -> None:
        """Go on by `dt` seconds of the world."""
        if self._target is not None:
            self._close_in(dt, entities)
        self._shake_left = max(0.0, self._shake_left - dt)
        self._fade_left = max(0.0, self._fade_left - dt)
        if dt > 0:  # a paused world must not tremble
            reach = self._shake * self._shake_left / self._shake_seconds if self._shake_left else 0.0
            self._jolt = self._random.uniform(-reach, reach), self._random.uniform(-reach, reach)

    def cover(self, surface: pygame.Surface) -> None:
        """Draw the fade over the picture."""
        tint = self._veil()
        if tint[3]:
            veil = pygame.Surface(surface.get_size(), pygame.SRCALPHA)
            veil.fill(tint)
            surface.blit(veil, (0, 0))

    def _veil(self) -> RGBA:
        done = 1 - self._fade_left / self._fade_seconds if self._fade_left else 1.0
        red, green, blue, alpha = (
            round(a + (b - a) * done) for a, b in zip(self._fade_from, self._fade_to, strict=True)
        )
        return red, green, blue, alpha

    def _close_in(self, dt: float, entities: Iterable[Entity]) -> None:
        place = next((entity.position for entity in entities if entity.id == self._target), None)
        if place is None or not abs(place[0]) + abs(place[1]) <= VAST:
            return
        # The first target is where the game begins: there is nothing to glide from.
        part = 1 - math.exp(-CLOSING * dt) if self._placed else 1.0
        self._x += (place[0] - self._x) * part
        self._y += (place[1] - self._y) * part
        self._placed = True

    def _follow(self, sender: int, target: object = None) -> None:
        self._target = sender if target is None else int(number(target, "id"))

    def _move(self, sender: int, x: object, y: object) -> None:
        self._x, self._y = number(x, "x"), number(y, "y")
        self._target, self._placed = None, True

    def _shake_for(self, sender: int, amount: object, seconds: object = 0.3) -> None:
        self._shake = min(FARTHEST_SHAKE, length(amount, "amount"))
        self._shake_left = self._shake_seconds = length(seconds, "seconds")

    def _fade(self, sender: int, ink: object = None, seconds: object = 0) -> None:
        """Cover the picture with a colour within `seconds`; a clear one, or none, uncovers it."""
        lasting = length(seconds, "seconds")
        target: RGBA = _CLEAR if ink is None else color(ink)
        start = self._veil()
        # What is clear takes the colour of the other end: from clear black to white the way leads over grey.
        if not target[3]:
            target = (*start[:3], 0)
        elif not start[3]:
            start = (*target[:3], 0)
        self._fade_from, self._fade_to = start, target
        self._fade_left = self._fade_seconds = lasting
