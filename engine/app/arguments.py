"""Reads what scripts handed to the window: numbers, names and colours of any quality.

Every reader takes `what`, the name that the script's author knows the value by, and raises `BadCall` with it.
"""

import json
import math
from typing import NoReturn

import pygame

from engine.errors import EngineError

RGBA = tuple[int, int, int, int]

# Beyond this pygame's own integers overflow; nothing so far away can be seen.
FAR = 30_000

VAST = 1e100
"""What is larger counts as this: near the end of what a float holds, the next product is infinite."""


class BadCall(EngineError, ValueError):
    """A script gave the window something that cannot be drawn or played; it becomes a notice."""


def number(value: object, what: str) -> float:
    """A finite number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        _refuse(what, "a number", value)
    try:
        real = float(value)
    except OverflowError:
        _refuse(what, "a number", value)
    if not math.isfinite(real):
        _refuse(what, "a finite number", value)
    return max(-VAST, min(VAST, real))


def pixel(value: float) -> int:
    """The nearest whole pixel, kept within what pygame can address.

    Halves go up on both sides of zero: rounding them to even would make sprites jitter.
    """
    return max(-FAR, min(FAR, math.floor(value + 0.5)))


def length(value: object, what: str) -> float:
    """A number that is not negative."""
    real = number(value, what)
    if real < 0:
        _refuse(what, "a number >= 0", value)
    return real


def words(value: object, what: str) -> str:
    """Text to show: numbers are written out, bytes that are not UTF-8 get a replacement sign."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        _refuse(what, "a string", value)
    return f"{value:g}" if isinstance(value, float) else str(value)


def name(value: object, what: str) -> str:
    """The name of an image or sound, without its ending."""
    if not isinstance(value, str) or not value:
        _refuse(what, "a name", value)
    return value


def color(value: object, what: str = "color") -> RGBA:
    """A colour from "#rrggbb", "#rrggbbaa", a name that pygame knows, or 3 to 4 numbers from 0 to 255."""
    try:
        match value:
            case str():
                parsed = pygame.Color(value)
                return parsed.r, parsed.g, parsed.b, parsed.a
            case [_, _, _]:
                red, green, blue = (_channel(part) for part in value)
                return red, green, blue, 255
            case [_, _, _, _]:
                red, green, blue, alpha = (_channel(part) for part in value)
                return red, green, blue, alpha
    except (ValueError, BadCall):
        pass
    _refuse(what, 'a colour like "#ffd9a0" or {255, 217, 160}', value)


def _channel(part: object) -> int:
    return max(0, min(255, pixel(number(part, "color"))))


def _refuse(what: str, wanted: str, value: object) -> NoReturn:
    raise BadCall(f"{what} must be {wanted}, got {as_in_lua(value)[:60]}")


def as_in_lua(value: object) -> str:
    """The value as its script would write it."""
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, list):
        return "{" + ", ".join(map(as_in_lua, value)) + "}"
    if isinstance(value, dict):
        return "{...}" if value else "{}"
    return "nil" if value is None else str(value).lower() if isinstance(value, bool) else repr(value)
