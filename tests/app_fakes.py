"""A world without Lua for tests of the window, and eyes for its picture.

Entities, commands and problems are put in by hand.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pygame

from engine.app import App

NIGHT = (11, 14, 26)
RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)


@dataclass
class FakeEntity:
    id: int
    position: tuple[float, float] | None = None
    view: dict[str, Any] = field(default_factory=dict)
    script: str = "thing"


@dataclass
class FakeCommand:
    module: str
    function: str
    args: list[Any]
    sender: int = 1


@dataclass
class FakeProblem:
    message: str
    script: str | None = "scripts/door.lua"
    line: int | None = 2
    count: int = 1
    source: str = ""
    outcome: str = ""


@dataclass
class FakeReload:
    script: str
    version: int
    seconds: float


class FakeInput:
    """Writes down what it is told."""

    def __init__(self) -> None:
        self.told: list[tuple[Any, ...]] = []

    def press(self, action: str) -> None:
        self.told.append(("press", action))

    def release(self, action: str) -> None:
        self.told.append(("release", action))

    def point(self, x: float, y: float, left: float, top: float) -> None:
        self.told.append(("point", x, y))
        self.corner = left, top


class FakeWorld:
    """What the window reads; `at_tick` runs in each tick, `call(...)` makes a command of the next one."""

    def __init__(self, folder: Path) -> None:
        self.scripts = folder / "scripts"
        self.assets = folder / "assets"
        self.scripts.mkdir(exist_ok=True)
        self.assets.mkdir(exist_ok=True)
        self.entities: list[FakeEntity] = []
        self.commands: list[FakeCommand] = []
        self.problems: list[FakeProblem] = []
        self.input = FakeInput()
        self.now = 0.0
        self.ticks: list[float] = []
        self.idled: list[float] = []
        self.closed = 0
        self.watched = 0
        self.at_tick: Callable[[], None] = lambda: None
        self._next: list[FakeCommand] = []
        self._watchers: list[Callable[[Any], None]] = []

    def tick(self, dt: float) -> None:
        self.ticks.append(dt)
        self.now += dt
        self.commands, self._next = self._next, []
        self.at_tick()

    def idle(self, seconds: float) -> bool:
        self.idled.append(seconds)
        return len(self.idled) < 3

    def places(self, script: str, pattern: str) -> list[str]:
        return []

    def on_reload(self, f: Callable[[Any], None]) -> None:
        self._watchers.append(f)

    def watch(self, *, poll: bool = False) -> None:
        self.watched += 1

    def close(self) -> None:
        self.closed += 1

    def add(self, x: float, y: float, **view: Any) -> FakeEntity:
        entity = FakeEntity(len(self.entities) + 1, (x, y), view)
        self.entities.append(entity)
        return entity

    def call(self, name: str, *args: Any, sender: int = 1) -> None:
        """A script's call in the next tick: `call("draw.rect", 1, 2, 3, 4)`."""
        module, function = name.split(".")
        self._next.append(FakeCommand(module, function, list(args), sender))

    def reloaded(self, script: str, version: int, seconds: float) -> None:
        for watcher in self._watchers:
            watcher(FakeReload(script, version, seconds))

    def image(self, name: str, *colors: str, side: int = 8) -> Path:
        """Write an image: one square of each colour, side by side."""
        sheet = pygame.Surface((side * len(colors), side), pygame.SRCALPHA)
        for column, color in enumerate(colors):
            sheet.fill(color, (column * side, 0, side, side))
        file = self.assets / f"{name}.png"
        pygame.image.save(sheet, str(file))
        return file


def ticks(app: App, n: int = 1) -> None:
    """Make `n` frames."""
    for _ in range(n):
        app.step(1 / 60)


def pixel(x: int, y: int) -> tuple[int, int, int]:
    """The colour of a pixel of the window."""
    red, green, blue, _ = pygame.display.get_surface().get_at((x, y))
    return red, green, blue


def inked() -> pygame.Rect | None:
    """The box around everything in the window that is not background."""
    mask = pygame.mask.from_threshold(pygame.display.get_surface(), NIGHT, (1, 1, 1))
    mask.invert()
    boxes = mask.get_bounding_rects()
    return boxes[0].unionall(boxes[1:]) if boxes else None
