"""The land of the demo, painted from the letters of its map. Light falls from the upper left."""

from __future__ import annotations

import math
import random
from collections.abc import Callable

import pygame
from palette import FRAME as TILE
from palette import PALETTE

DARKER = dict(zip("wlmsbfgtrvoay", "lmsbngtdppraa", strict=True))
UNDER = {"T": ".", "H": ".", "#": ".", "B": ".", "W": ".", "r": ".", "D": "=", ",": ".", "p": "~"}


class Land:
    """Two pictures: `ground` lies under everybody, and `canopy`, the tree tops, roofs and tower, over them."""

    def __init__(self, rows: list[str]) -> None:
        self.rows = rows
        self.width, self.height = len(rows[0]) * TILE, len(rows) * TILE
        self.random = random.Random(7)
        self.letters = [["." for _ in range(self.width)] for _ in range(self.height)]
        self.ground = pygame.Surface((self.width, self.height))
        self.canopy = pygame.Surface((self.width, self.height), pygame.SRCALPHA)

    def tile(self, x: int, y: int) -> str:
        """The letter of a tile; outside the map that of the nearest one."""
        row = self.rows[min(max(y, 0), len(self.rows) - 1)]
        return row[min(max(x, 0), len(row) - 1)]

    def first(self, letter: str) -> tuple[int, int]:
        return next((row.index(letter), y) for y, row in enumerate(self.rows) if letter in row)

    def terrain(self, x: int, y: int) -> str:
        """What a pixel lies on: the letter that weighs most among the four nearest tiles.

        The place is pushed about first, so that no shore is a straight line.
        """
        dx = 4.2 * wave(x, y, 0.0) + 1.6 * wave(x * 3, y * 3, 2.0)
        dy = 4.2 * wave(y, x, 4.0) + 1.6 * wave(y * 3, x * 3, 1.0)
        across, down = (x + dx) / TILE - 0.5, (y + dy) / TILE - 0.5
        left, top = math.floor(across), math.floor(down)
        weights: dict[str, float] = {}
        for column, share_x in ((left, left + 1 - across), (left + 1, across - left)):
            for row, share_y in ((top, top + 1 - down), (top + 1, down - top)):
                letter = self.tile(column, row)
                letter = UNDER.get(letter, letter)
                weights[letter] = weights.get(letter, 0) + share_x * share_y
        return max(weights, key=lambda letter: weights[letter])

    def put(self, x: int, y: int, colour: str, above: bool = False) -> None:
        if 0 <= x < self.width and 0 <= y < self.height:
            if above:
                self.canopy.set_at((x, y), PALETTE[colour])
            else:
                self.letters[y][x] = colour
                self.ground.set_at((x, y), PALETTE[colour])
                self.canopy.set_at((x, y), (0, 0, 0, 0))

    def shadow(self, x: int, y: int, rx: float, ry: float) -> None:
        for py in range(max(0, int(y - ry)), min(self.height, int(y + ry) + 1)):
            for px in range(max(0, int(x - rx)), min(self.width, int(x + rx) + 1)):
                if ((px - x) / rx) ** 2 + ((py - y) / ry) ** 2 <= 1:
                    self.darken(px, py)

    def darken(self, x: int, y: int) -> None:
        if 0 <= x < self.width and 0 <= y < self.height:
            letter = self.letters[y][x]
            self.put(x, y, DARKER.get(letter, letter))

    def paint_terrain(self) -> None:
        kinds = [[self.terrain(x, y) for x in range(self.width)] for y in range(self.height)]

        def kind(x: int, y: int) -> str:
            return kinds[min(max(y, 0), self.height - 1)][min(max(x, 0), self.width - 1)]

        for y in range(self.height):
            for x in range(self.width):
                self.put(x, y, GROUNDS[kinds[y][x]](x, y, kind, self.random))

    def paint_meadow(self) -> None:
        """Tufts and flowers, where there is grass all around."""
        for y in range(4, self.height - 4):
            for x in range(4, self.width - 4):
                flowers = self.tile(x // TILE, y // TILE) == ","
                roll = self.random.random()
                near = {self.letters[y + dy][x + dx] for dx in (-2, 0, 2) for dy in (-2, 0, 2)}
                if near <= {"g", "t"}:
                    if roll < (0.06 if flowers else 0.012):
                        self.tuft(x, y)
                    elif flowers and roll < 0.085:
                        self.flower(x, y)

    def tuft(self, x: int, y: int) -> None:
        tip = "f" if self.random.random() < 0.3 else "g"
        blades = ((-1, -1, tip), (1, -2, tip), (0, 0, "t"), (1, -1, "t"), (-1, 0, "d"), (1, 0, "d"))
        for dx, dy, colour in blades:
            self.put(x + dx, y + dy, colour)

    def flower(self, x: int, y: int) -> None:
        petal = self.random.choice("lvl")
        for dx, dy, colour in ((0, -1, petal), (-1, 0, petal), (1, 0, petal), (0, 0, "w"), (0, 1, "d")):
            self.put(x + dx, y + dy, colour)


def wave(x: float, y: float, phase: float) -> float:
    """Smooth and without a visible period, between -1 and 1."""
    parts = math.sin(x * 0.11 + phase), math.sin(y * 0.13 + phase * 2), math.sin((x + y) * 0.07 + phase)
    return sum(parts) / 3


Kind = Callable[[int, int], str]


def grass(x: int, y: int, kind: Kind, dice: random.Random) -> str:
    if kind(x, y + 1) != ".":
        return "f" if dice.random() < 0.35 else "g"
    shade = wave(x * 0.6, y * 0.9, 3.0) + ((x + y) % 2) * 0.12
    return "t" if shade < -0.12 else "g"


def path(x: int, y: int, kind: Kind, dice: random.Random) -> str:
    """Worn flagstones in rows, every other one shifted; the grass overhangs the upper rim."""
    if kind(x, y - 1) == ".":
        return "d"
    if kind(x, y - 2) == "." or kind(x - 1, y) == ".":
        return "b"
    row = y // 5
    column = (x + (row % 2) * 4 + (row * 7) % 3) // 8
    inside_x, inside_y = (x + (row % 2) * 4 + (row * 7) % 3) % 8, y % 5
    if inside_x == 0 or inside_y == 0:
        return "b"
    worn = random.Random(row * 91 + column).random()
    if worn < 0.18:
        return "b" if (inside_x + inside_y) % 2 else "s"
    return "m" if worn > 0.72 and inside_y == 1 and inside_x < 6 else "s"


def sand(x: int, y: int, kind: Kind, dice: random.Random) -> str:
    if kind(x, y - 1) == ".":
        return "t"
    if any(kind(x + dx, y + dy) == "~" for dx in (-3, 0, 3) for dy in (-3, 0, 3)):
        return "s"
    roll = dice.random()
    if roll < 0.02:
        return "l"
    return "s" if roll < 0.06 or (wave(x * 2, y * 2.5, 5.0) > 0.3 and (x + y) % 2) else "m"


def sea(x: int, y: int, kind: Kind, dice: random.Random) -> str:
    """Foam at the shore, a band of shallow water, then the deep with a few long glints."""
    around = [kind(x + dx, y + dy) for dx in (-1, 0, 1) for dy in (-1, 0, 1)]
    if any(k in ".s=" for k in around):
        return "l" if wave(x * 4, y * 4, 1.0) > -0.25 else "m"
    reach = shore_distance(x, y, kind)
    if 4 <= reach <= 5 and wave(x * 3, y * 3, 2.5) > 0.22:
        return "m"
    if reach < 8 + 2 * wave(x * 2, y * 2, 0.5):
        return "s" if (x + y) % 2 or reach < 6 else "b"
    if reach < 14:
        return "b"
    if y % 5 == 0 and wave(x * 1.7, y * 9, 0.7) > 0.62:
        return "s"
    return "b" if wave(x, y * 3, 2) > 0.05 else "n"


def shore_distance(x: int, y: int, kind: Kind) -> int:
    for far in range(2, 15):
        if any(kind(round(x + dx * far), round(y + dy * far)) in ".s=" for dx, dy in SPOKES):
            return far
    return 15


SPOKES = ((1, 0), (-1, 0), (0, 1), (0, -1), (0.7, 0.7), (-0.7, 0.7), (0.7, -0.7), (-0.7, -0.7))
GROUNDS = {".": grass, "=": path, "s": sand, "~": sea}
