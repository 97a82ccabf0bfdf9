"""Shows entities that have a place: by `sprite`, by `text`, or both.

Fields of `self` that are read: `x`, `y` (the centre), `sprite`, `frame` (from 0), `layer` (higher is nearer),
`angle` (degrees, clockwise, so that `math.deg(math.atan(dy, dx))` turns what is drawn facing right), `scale`,
`flip`, `alpha` (0 to 1), `visible`, `text` (above the sprite), `color` (of the text, else a tint of the
sprite) and `light` (radius of a lamp, see `night`).
"""

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple, TypeVar

import pygame

from engine.app import palette
from engine.app.animation import Animations
from engine.app.arguments import BadCall, color, length, name, number, pixel, words
from engine.app.images import WHITE, Images, Look
from engine.app.night import Lamp
from engine.app.notices import Notices
from engine.app.ports import Entity
from engine.app.text import Font

# Steps between clear and opaque: fading must not make a new picture for every value of a float.
SHADES = 32
SCALES = 16

T = TypeVar("T")


class Shown(NamedTuple):
    """An entity with a place that is not hidden; in sorted order, what is nearer comes later."""

    layer: float
    y: float
    id: int
    x: float
    script: str
    view: Mapping[str, Any]


class Sprites:
    """Draws entities."""

    def __init__(self, images: Images, font: Font, notices: Notices) -> None:
        self.animations = Animations()
        self._images = images
        self._font = font
        self._notices = notices

    def gather(self, entities: Iterable[Entity], now: float) -> list[Shown]:
        """What there is to show at `now`, farthest first: by layer, then from top to bottom, then by id."""
        shown: list[Shown] = []
        alive: set[int] = set()
        for entity in entities:
            alive.add(entity.id)
            place, view = entity.position, entity.view
            if view.get("visible") is False:
                continue
            if place is None or not math.isfinite(place[0] + place[1]):
                if "sprite" in view:
                    message = "it has a sprite and no place: self.x and self.y must be finite numbers"
                    self._notices.report_of(entity.script, r"\bself\.[xy]\s*=(?!=)", message)
                continue
            one = Shown(0.0, place[1], entity.id, place[0], entity.script, view)
            if "layer" in view:
                one = one._replace(layer=self._told(one, _layer) or 0.0)
            shown.append(one)
        self.animations.advance(now, alive)
        return sorted(shown, key=lambda one: one[:3])

    def draw(self, surface: pygame.Surface, shown: Iterable[Shown], left: int, top: int) -> None:
        """Draw the sprites; the corner of `surface` stands at `left`, `top` in the world."""
        for one in shown:
            picture = self._told(one, self._picture)
            if picture is not None:
                width, height = picture.get_size()
                surface.blit(picture, (pixel(one.x - width / 2) - left, pixel(one.y - height / 2) - top))

    def draw_texts(self, surface: pygame.Surface, shown: Iterable[Shown], left: int, top: int) -> None:
        """Draw the texts of entities, above their sprites, or in their place where they have none."""
        for one in shown:
            text = self._told(one, self._text) if "text" in one.view else None
            if text is not None:
                picture = self._told(one, self._picture)
                lift = text.get_height() / 2 if picture is None else text.get_height() + picture.get_height() / 2
                surface.blit(text, (pixel(one.x - text.get_width() / 2) - left, pixel(one.y - lift) - top))

    def lamps(self, shown: Iterable[Shown]) -> list[Lamp]:
        """The lights that entities carry."""
        lit = [self._told(one, _lamp) for one in shown if "light" in one.view]
        return [lamp for lamp in lit if lamp is not None]

    def _picture(self, one: Shown) -> pygame.Surface | None:
        view = one.view
        frame = self.animations.frame(one.id)
        if frame is None:
            if view.get("sprite") is None:
                return None
            frame = name(view["sprite"], "sprite"), int(number(view.get("frame", 0), "frame"))
        return self._images.picture(
            Look(
                *frame,
                angle=round(number(view["angle"], "angle")) % 360 if "angle" in view else 0,
                scale=max(1, round(length(view["scale"], "scale") * SCALES)) / SCALES if "scale" in view else 1.0,
                flip=view.get("flip") is True,
                alpha=_alpha(view["alpha"]) if "alpha" in view else 255,
                tint=color(view["color"]) if "color" in view and "text" not in view else WHITE,
                flash=self.animations.flash_of(one.id),
            )
        )

    def _text(self, one: Shown) -> pygame.Surface:
        ink = color(one.view["color"]) if "color" in one.view else palette.INK
        text = self._font.render(words(one.view["text"], "text"), ink)
        alpha = _alpha(one.view["alpha"]) if "alpha" in one.view else 255
        if alpha != 255:
            text = text.copy()  # the font keeps the other one
            text.fill((255, 255, 255, alpha), special_flags=pygame.BLEND_RGBA_MULT)
        return text

    def _told(self, one: Shown, read: Callable[[Shown], T]) -> T | None:
        """What `read` makes of an entity, or a notice about the field that it cannot use."""
        self._notices.script = one.script
        try:
            return read(one)
        except BadCall as error:
            field = str(error).partition(" ")[0]
            self._notices.report_of(one.script, rf"\b{field}\s*=(?!=)", f"self.{error}")
            return None


def _layer(one: Shown) -> float:
    return number(one.view["layer"], "layer")


def _lamp(one: Shown) -> Lamp:
    return Lamp(one.x, one.y, length(one.view["light"], "light"), palette.LAMP)


def _alpha(value: object) -> int:
    return round(max(0.0, min(1.0, number(value, "alpha"))) * SHADES) * 255 // SHADES
