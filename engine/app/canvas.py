"""Draws what scripts ask for with `draw.*`, frame by frame.

`text`, `image` (`x`, `y` is their upper left corner), `rect`, `circle`, `line` and `light` last for the frame in
which they were called and stand in the world; with a last argument `"screen"` all but `light` stand on the screen,
which neither the camera moves nor the night darkens. What is called later covers what was called before. `say`
stays for a while.
"""

from collections.abc import Callable

import pygame

from engine.app import palette
from engine.app.arguments import RGBA, BadCall, as_in_lua, color, length, name, number, pixel, words
from engine.app.images import Images, Look
from engine.app.night import Lamp
from engine.app.text import LINE, LONGEST, Font

SAY_SECONDS = 4.0
SAY_LINES = 3
SAY_WIDTH = 240
PADDING = 6

PLACES = ("world", "screen")
ALIGNS = ("left", "center", "right")

# Draws on a surface whose corner stands at left, top.
Paint = Callable[[pygame.Surface, int, int], None]


class Canvas:
    """The drawing calls of one frame, and the line that is being said."""

    def __init__(self, font: Font, images: Images) -> None:
        self._font = font
        self._images = images
        self._now = 0.0
        self._shapes: list[Paint] = []
        self._texts: list[Paint] = []
        self._on_screen: list[Paint] = []
        self.lamps: list[Lamp] = []
        self._said = ""
        self._said_until = 0.0
        self.verbs: dict[str, Callable[..., None]] = {
            "text": self._text,
            "rect": self._rect,
            "circle": self._circle,
            "line": self._line,
            "light": self._light,
            "say": self._say,
            "image": self._image,
        }

    def begin(self, now: float) -> None:
        """Start a frame in which nothing is drawn yet."""
        self._now = now
        for old in (self._shapes, self._texts, self._on_screen, self.lamps):
            old.clear()

    def draw_shapes(self, surface: pygame.Surface, left: int, top: int) -> None:
        """Draw what the night will darken."""
        for paint in self._shapes:
            paint(surface, left, top)

    def draw_texts(self, surface: pygame.Surface, left: int, top: int) -> None:
        """Draw the texts in the world, then everything on the screen."""
        for paint in self._texts:
            paint(surface, left, top)
        for paint in self._on_screen:
            paint(surface, 0, 0)

    def draw_said(self, surface: pygame.Surface) -> None:
        """Draw what is being said, in a box at the bottom."""
        if not self._said or self._now >= self._said_until:
            return
        width, height = surface.get_size()
        inner = max(PADDING, min(width - 4 * PADDING, SAY_WIDTH))
        lines = self._font.wrap(self._said, inner)[:SAY_LINES]
        box = pygame.Rect(0, 0, inner + 2 * PADDING, len(lines) * LINE + 2 * PADDING - 2)
        box.midbottom = width // 2, height - PADDING
        panel = pygame.Surface(box.size, pygame.SRCALPHA)
        panel.fill(palette.PANEL)
        pygame.draw.rect(panel, palette.EDGE, panel.get_rect(), 1)
        panel.blit(self._font.render("\n".join(lines), palette.INK), (PADDING, PADDING))
        surface.blit(panel, box)

    def _text(
        self,
        sender: int,
        text: object,
        x: object,
        y: object,
        ink: object = None,
        where: object = None,
        align: object = None,
    ) -> None:
        ink, where, align = _aligned(ink, where, align)
        tone, where = _style(ink, where)
        said, at = words(text, "text"), (_pixel(x, "x"), _pixel(y, "y"))
        for line in [said] if align == "left" else said[:LONGEST].split("\n"):
            drawn = self._font.render(line, tone)
            shift = (drawn.get_width() - 1) * ALIGNS.index(align) // 2  # without the shadow
            self._stamp(self._texts, drawn, (at[0] - shift, at[1]), where)
            at = at[0], at[1] + LINE

    def _image(
        self, sender: int, image: object, x: object, y: object, frame: object = None, where: object = None
    ) -> None:
        if where is None and frame in PLACES:
            frame, where = None, frame
        look = Look(name(image, "image"), 0 if frame is None else int(number(frame, "frame")))
        at = _pixel(x, "x"), _pixel(y, "y")
        _, where = _style(None, where)
        self._stamp(self._shapes, self._images.picture(look), at, where)

    def _rect(
        self,
        sender: int,
        x: object,
        y: object,
        w: object,
        h: object,
        ink: object = None,
        where: object = None,
    ) -> None:
        size = pixel(length(w, "w")), pixel(length(h, "h"))
        self._shape(pygame.Rect((_pixel(x, "x"), _pixel(y, "y")), size), pygame.draw.rect, ink, where)

    def _circle(self, sender: int, x: object, y: object, r: object, ink: object = None, where: object = None) -> None:
        radius = pixel(length(r, "r"))
        bounds = pygame.Rect(_pixel(x, "x") - radius, _pixel(y, "y") - radius, 2 * radius, 2 * radius)
        self._shape(bounds, pygame.draw.ellipse, ink, where)

    def _line(
        self,
        sender: int,
        x1: object,
        y1: object,
        x2: object,
        y2: object,
        ink: object = None,
        where: object = None,
    ) -> None:
        start, end = (_pixel(x1, "x1"), _pixel(y1, "y1")), (_pixel(x2, "x2"), _pixel(y2, "y2"))
        bounds = pygame.Rect(start, (1, 1)).union(pygame.Rect(end, (1, 1)))

        def draw(surface: pygame.Surface, tone: RGBA, box: pygame.Rect) -> object:
            left, top = box.x - bounds.x, box.y - bounds.y
            return pygame.draw.line(surface, tone, (start[0] + left, start[1] + top), (end[0] + left, end[1] + top))

        self._shape(bounds, draw, ink, where)

    def _light(self, sender: int, x: object, y: object, radius: object, ink: object = None) -> None:
        tone = palette.LAMP if ink is None else color(ink)
        self.lamps.append(Lamp(number(x, "x"), number(y, "y"), length(radius, "radius"), tone))

    def _say(self, sender: int, text: object = None) -> None:
        self._said = "" if text is None else words(text, "text")
        self._said_until = self._now + SAY_SECONDS

    def _shape(
        self,
        bounds: pygame.Rect,
        draw: Callable[[pygame.Surface, RGBA, pygame.Rect], object],
        ink: object,
        where: object,
    ) -> None:
        tone, where = _style(ink, where)

        def paint(surface: pygame.Surface, left: int, top: int) -> None:
            box = bounds.move(-left, -top)
            seen = box.clip(surface.get_rect())
            if tone[3] == 255:
                draw(surface, tone, box)
            elif seen:  # pygame's shapes replace what is below them instead of mixing with it
                veil = pygame.Surface(seen.size, pygame.SRCALPHA)
                draw(veil, tone, box.move(-seen.x, -seen.y))
                surface.blit(veil, seen)

        self._add(self._shapes, paint, where)

    def _stamp(self, paints: list[Paint], picture: pygame.Surface, at: tuple[int, int], where: object) -> None:
        def paint(surface: pygame.Surface, left: int, top: int) -> None:
            surface.blit(picture, (at[0] - left, at[1] - top))

        self._add(paints, paint, where)

    def _add(self, paints: list[Paint], paint: Paint, where: object) -> None:
        (self._on_screen if where == "screen" else paints).append(paint)


def _style(ink: object, where: object) -> tuple[RGBA, object]:
    """The last two arguments of a call; a script may leave out the colour and still name the place."""
    if where is None and ink in PLACES:
        ink, where = None, ink
    if where is not None and where not in PLACES:
        raise BadCall(f'where must be "world" or "screen", got {as_in_lua(where)}')
    return palette.INK if ink is None else color(ink), where


def _aligned(ink: object, where: object, align: object) -> tuple[object, object, str]:
    """The last arguments of a text; a script may leave out the colour and the place and still say how it is aligned."""
    if align is None and where in ALIGNS:
        where, align = None, where
    elif align is None and where is None and ink in ALIGNS:
        ink, align = None, ink
    if align is not None and align not in ALIGNS:
        raise BadCall(f'align must be "left", "center" or "right", got {as_in_lua(align)}')
    return ink, where, str(align or "left")


def _pixel(value: object, what: str) -> int:
    return pixel(number(value, what))
