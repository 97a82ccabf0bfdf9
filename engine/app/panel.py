"""Makes the panels of the overlay: lines of coloured text on one ground, with one padding."""

from typing import NamedTuple

import pygame

from engine.app import palette
from engine.app.arguments import RGBA
from engine.app.text import LINE, Font

PADDING = 6
BAR = 2


class Span(NamedTuple):
    """A piece of a line in one colour, so many pixels from what stands before it."""

    text: str
    color: RGBA
    indent: int = 0


Line = tuple[Span, ...]

# Parts two things in one panel.
BREAK: Line = ()


def panel(font: Font, lines: tuple[Line, ...], accent: RGBA, scale: int, width: int | None = None) -> pygame.Surface:
    """A panel as narrow as its text, or `width` wide, `scale` times as large as it is drawn."""
    inner = max(sum(span.indent + font.width(span.text) for span in line) for line in lines)
    height = sum(LINE if line else PADDING for line in lines) - 2
    drawn = pygame.Surface((width or inner + 2 * PADDING + BAR, height + 2 * PADDING - 1), pygame.SRCALPHA)
    drawn.fill(palette.PANEL)
    drawn.fill(accent, (0, 0, BAR, drawn.get_height()))
    top = PADDING
    for line in lines:
        left = BAR + PADDING
        for span in line:
            left += span.indent
            drawn.blit(font.render(span.text, span.color), (left, top))
            left += font.width(span.text) + 1
        top += LINE if line else PADDING
    return pygame.transform.scale(drawn, (drawn.get_width() * scale, drawn.get_height() * scale))
