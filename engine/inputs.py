"""What the player does, by the names of actions."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from engine.bus.events import utf8
from engine.checks import check_place
from engine.errors import EngineError
from engine.lua.commons import Outside

LONGEST_NAME = 200
"""Bytes of the name of an action, as of an event."""


class Inputs:
    """Held actions and the pointer. `press`, `release` and `point` are called between ticks, by a window or a test.

    `told` gets what was pressed and released, `{name, pressed, x, y}` each, when what came from outside comes in.
    """

    def __init__(self, told: Callable[[dict[str, Any]], object], outside: Outside) -> None:
        self._held: set[str] = set()
        self._told = told
        self._outside = outside
        self.pointer = (0.0, 0.0)
        self._corner = (0.0, 0.0)

    def press(self, action: str) -> None:
        """The action begins; pressing what is held does nothing."""
        _check_action("press", action)
        if action not in self._held:
            self._held.add(action)
            self._tell(action, pressed=True)

    def release(self, action: str) -> None:
        """The action ends; releasing what is not held does nothing."""
        _check_action("release", action)
        if action in self._held:
            self._held.discard(action)
            self._tell(action, pressed=False)

    def point(self, x: float, y: float, left: float = 0.0, top: float = 0.0) -> None:
        """Where the pointer is in the world, of which the picture shows what is right of `left` and below `top`."""
        self.pointer = (check_place("point: x", x), check_place("point: y", y))
        self._corner = (check_place("point: left", left), check_place("point: top", top))

    @property
    def on_screen(self) -> tuple[float, float]:
        """Where the pointer is in the picture."""
        return self.pointer[0] - self._corner[0], self.pointer[1] - self._corner[1]

    def down(self, action: str) -> bool:
        return action in self._held

    def _tell(self, action: str, *, pressed: bool) -> None:
        x, y = self.pointer
        self._outside.add(partial(self._told, {"name": action, "pressed": pressed, "x": x, "y": y}))


def _check_action(what: str, action: object) -> None:
    if not isinstance(action, str) or not action:
        raise EngineError(f"{what}: expected the name of an action, got {action!r}")
    if len(utf8("the name of an action", action)) > LONGEST_NAME:
        raise EngineError(f"{what}: the name of an action has {LONGEST_NAME} bytes at most, got {action[:40]!r}...")
