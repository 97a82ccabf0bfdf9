"""Darkens the picture and lets lamps shine through."""

from collections.abc import Iterable
from typing import NamedTuple

import pygame

from engine.app.arguments import RGBA, pixel
from engine.app.cache import Cache

WIDEST = 512

# Rings of a glow; few enough to be seen as pixel art, enough to be soft.
RINGS = 24
# Flickering lamps change their colour all the time: rounded, they share glows.
TONE = 8


class Lamp(NamedTuple):
    """A light in the world; `radius` is where it ends."""

    x: float
    y: float
    radius: float
    color: RGBA


class Night:
    """The darkness of one window."""

    def __init__(self, size: tuple[int, int]) -> None:
        self._shade = pygame.Surface(size)
        self._glows: Cache[tuple[int, RGBA], pygame.Surface] = Cache(48)

    def fall(self, surface: pygame.Surface, ambient: RGBA, lamps: Iterable[Lamp], left: int, top: int) -> None:
        """Multiply `surface` by the light there is: `ambient` everywhere, and more around lamps."""
        self._shade.fill(ambient)
        for lamp in lamps:
            radius = min(WIDEST, pixel(lamp.radius))
            x, y = pixel(lamp.x) - left, pixel(lamp.y) - top
            if radius > 0 and self._shade.get_rect().colliderect((x - radius, y - radius, 2 * radius, 2 * radius)):
                self._shade.blit(self._glow(radius, lamp.color), (x - radius, y - radius), None, pygame.BLEND_RGB_ADD)
        surface.blit(self._shade, (0, 0), None, pygame.BLEND_RGB_MULT)

    def _glow(self, radius: int, color: RGBA) -> pygame.Surface:
        red, green, blue, alpha = (part - part % TONE for part in color)
        tone = red, green, blue, alpha
        return self._glows.get((radius, tone), lambda: _glow(radius, tone))


def _glow(radius: int, color: RGBA) -> pygame.Surface:
    """Rings from dim to bright: no edge where the light ends, and a bright middle."""
    glow = pygame.Surface((2 * radius, 2 * radius))
    rings = max(1, min(RINGS, radius // 2))
    for ring in range(rings):
        near = (ring + 1) / rings
        strength = near * near * (3 - 2 * near) * color[3] / 255
        tone = [round(part * strength) for part in color[:3]]
        pygame.draw.circle(glow, tone, (radius, radius), radius * (1 - ring / rings))
    return glow
