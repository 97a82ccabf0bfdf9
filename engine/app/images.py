"""Loads images by name and keeps the turned, scaled and tinted pictures made from them.

An image wider than high whose width is a multiple of its height is a sheet of square frames, counted from 0.
A name without an image shows a checkerboard, so that a slip is seen where it is, and is reported once.
"""

from pathlib import Path
from typing import NamedTuple

import pygame

from engine.app import palette
from engine.app.arguments import RGBA
from engine.app.assets import Assets
from engine.app.cache import Cache
from engine.app.notices import Notices
from engine.app.shelf import Shelf

ENDINGS = (".png",)
WHITE = (255, 255, 255, 255)

# Turning sprites and fading ones make a new picture for every step.
PICTURES = 1_024
WIDEST = 2_048


class Look(NamedTuple):
    """One way to show one frame; equal looks share a picture.

    `angle` is clockwise in whole degrees, `alpha` 0 to 255, `tint` multiplies, and `flash` is a colour whose
    fourth part says how much of it covers the image.
    """

    name: str
    frame: int = 0
    angle: int = 0
    scale: float = 1.0
    flip: bool = False
    alpha: int = 255
    tint: RGBA = WHITE
    flash: RGBA = (0, 0, 0, 0)


class Images:
    """The images of one window, each loaded when it is first shown."""

    def __init__(self, assets: Assets, notices: Notices) -> None:
        self._images = Shelf("an image", ENDINGS, assets, notices, read=_read, stand_in=_checkerboard, size=512)
        self._pictures: Cache[Look, pygame.Surface] = Cache(PICTURES)

    def picture(self, look: Look) -> pygame.Surface:
        """The image as `look` wants it; kept, so do not draw on it."""
        image = self._images.get(look.name)
        return self._pictures.get(look, lambda: _picture(image, look))

    def reload(self, name: str) -> bool:
        """Show the file as it is now; one that is gone or half written leaves the old image standing."""
        if not self._images.reload(name):
            return False
        self._pictures.drop(lambda look: look.name == name)
        return True


def _read(file: Path) -> pygame.Surface:
    return pygame.image.load(str(file)).convert_alpha()


def _picture(image: pygame.Surface, look: Look) -> pygame.Surface:
    picture = _frame(image, look.frame)
    if look.tint != WHITE:
        picture.fill(look.tint, special_flags=pygame.BLEND_RGBA_MULT)
    if look.flash[3]:
        *ink, cover = look.flash
        picture.fill((255 - cover,) * 3, special_flags=pygame.BLEND_RGB_MULT)
        picture.fill([part * cover // 255 for part in ink], special_flags=pygame.BLEND_RGB_ADD)
    if look.alpha != 255:
        picture.fill((255, 255, 255, look.alpha), special_flags=pygame.BLEND_RGBA_MULT)
    if look.flip:
        picture = pygame.transform.flip(picture, True, False)
    if look.scale != 1.0:
        picture = pygame.transform.scale(picture, [_scaled(side, look.scale) for side in picture.get_size()])
    if look.angle % 360:
        picture = pygame.transform.rotate(picture, -look.angle)
    return picture


def _frame(image: pygame.Surface, index: int) -> pygame.Surface:
    """A copy of one frame; an index past the end starts over."""
    width, height = image.get_size()
    if width % height or width == height:
        return image.copy()
    return image.subsurface((index * height % width, 0, height, height)).copy()


def _scaled(side: int, scale: float) -> int:
    return max(1, min(WIDEST, round(side * scale)))


def _checkerboard() -> pygame.Surface:
    board = pygame.Surface((16, 16), pygame.SRCALPHA)
    board.fill(palette.SHADE)
    for x in range(0, 16, 4):
        for y in range(x % 8, 16, 8):
            board.fill(palette.MISSING, (x, y, 4, 4))
    return board
