"""Opens the window and shows the picture in it, every pixel as large as the next.

The picture keeps its size in logical pixels. It is shown at the largest whole scale that fits, in the middle,
with dark bars around it; a window smaller than the picture shows the middle of it.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pygame

from engine.app import palette
from engine.errors import EngineError
from engine.interrupts import ctrl_c_later

_INVISIBLE = ("dummy", "offscreen")


class NoDisplay(EngineError):
    """There is no display to open a window on; `headless=True` does without."""


class Window:
    """A resizable window around a picture of `size` logical pixels."""

    def __init__(self, title: str, size: tuple[int, int], scale: int) -> None:
        self.size = size
        self._title = title
        self._scale = scale

    def open(self) -> None:
        """Show the window."""
        try:
            pygame.display.init()
            # Without a display SDL takes what nobody can see: a game would run there for ever.
            if not os.environ.get("SDL_VIDEODRIVER") and pygame.display.get_driver() in _INVISIBLE:
                raise pygame.error("there is no display")
            pygame.display.set_caption(self._title)
            width, height = self.size
            with ctrl_c_later():  # looking for its icon, pygame drops whatever is raised meanwhile
                pygame.display.set_mode((width * self._scale, height * self._scale), pygame.RESIZABLE)
        except pygame.error as error:
            raise NoDisplay(f"no window can be opened here ({error}); App(headless=True) needs none") from error

    @property
    def surface(self) -> pygame.Surface:
        """The pixels of the window, as large as it is at this moment."""
        return pygame.display.get_surface()

    def show(self, picture: pygame.Surface) -> None:
        """Put the picture into the window; what is drawn on `surface` afterwards stands over it."""
        area = self._area()
        self.surface.fill(palette.BARS)
        self.surface.blit(pygame.transform.scale(picture, area.size), area)

    def to_picture(self, at: tuple[int, int]) -> tuple[int, int]:
        """The logical pixel under a place in the window."""
        area = self._area()
        scale = area.width // self.size[0]
        return (at[0] - area.x) // scale, (at[1] - area.y) // scale

    def _area(self) -> pygame.Rect:
        width, height = self.size
        window = self.surface.get_rect()
        scale = max(1, min(window.width // width, window.height // height))
        area = pygame.Rect(0, 0, width * scale, height * scale)
        area.center = window.center
        return area


def display_available() -> bool:
    """Whether a window that somebody can see may be opened; leaves pygame as it was."""
    driver = os.environ.get("SDL_VIDEODRIVER", "")
    if driver in _INVISIBLE:
        return False
    on_screen = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    if sys.platform.startswith("linux") and not driver and not on_screen:
        return False
    was_open = pygame.display.get_init()
    try:
        pygame.display.init()
        return pygame.display.get_driver() not in _INVISIBLE
    except pygame.error:
        return False
    finally:
        if not was_open:
            pygame.display.quit()


@contextmanager
def drivers(headless: bool) -> Iterator[None]:
    """While this holds, what SDL opens is the real thing, or without display and sound if `headless`."""
    if not headless:
        yield
        return
    names = ("SDL_VIDEODRIVER", "SDL_AUDIODRIVER")
    before = {name: os.environ.get(name) for name in names}
    os.environ.update(dict.fromkeys(names, "dummy"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
