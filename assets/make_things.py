"""Paint what stands on the land: trees, walls, rocks, the pier, the cottage and the tower.

What is high enough for somebody to walk behind goes on the canopy, the rest on the ground.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from land import Land
from palette import FRAME as TILE


def paint_all(land: Land) -> None:
    """From the back to the front, as each row may hide the one before it."""
    for y, row in enumerate(land.rows):
        for x, letter in enumerate(row):
            if letter in PAINTERS:
                PAINTERS[letter](land, x, y)
    paint_house(land, *land.first("H"))
    paint_tower(land, *land.first("B"))


def paint_tree(land: Land, column: int, row: int) -> None:
    dice = land.random
    x = column * TILE + 8 + dice.randint(-3, 3)
    foot = row * TILE + 14 + dice.randint(-2, 1)
    land.shadow(x + 3, foot, 11, 4)
    for y in range(foot - 6, foot + 1):
        for dx, colour in ((-2, "k"), (-1, "r"), (0, "p"), (1, "p"), (2, "k")):
            land.put(x + dx, y, colour)
    if dice.random() < 0.7:
        paint_fir(land, x, foot - 4, dice.randint(26, 33))
    else:
        paint_oak(land, x, foot - 6)


def paint_fir(land: Land, x: int, foot: int, height: int) -> None:
    """Four tiers of boughs, each wider than the one above, bright at the tips that face the moon."""
    half = []
    for i in range(height):
        tier = i * 4 / height
        half.append(int(1 + tier * 1.6 + (tier % 1) * 5.2 + land.random.random() * 0.9))
    for i, reach in enumerate(half):
        y = foot - height + i
        ends_tier = i + 1 < height and half[i + 1] < reach - 2
        for dx in range(-reach, reach + 1):
            edge = abs(dx) == reach or i in (0, height - 1)
            side = dx / (reach + 1)
            if edge:
                colour = "k"
            elif ends_tier:
                colour = "g" if side < -0.2 and dx % 2 else "d"
            elif side < -0.45:
                colour = "f" if (dx + i) % 3 == 0 else "g"
            elif side < 0.1:
                colour = "g" if (dx + i) % 2 else "t"
            else:
                colour = "t" if (dx * 2 + i) % 5 < 2 else "d"
            land.put(x + dx, y, colour, above=y < foot - 8)


def paint_oak(land: Land, x: int, foot: int) -> None:
    """A crown of overlapping balls of leaves."""
    balls = [(-6, -7, 7), (6, -7, 7), (0, -14, 8), (0, -7, 8)]
    for y in range(foot - 24, foot + 2):
        for px in range(x - 15, x + 16):
            offsets = [(px - x - bx, y - foot - by, r) for bx, by, r in balls]
            inside = [(dx, dy, r) for dx, dy, r in offsets if math.hypot(dx, dy) <= r]
            if not inside:
                continue
            depth = min(math.hypot(dx, dy) - r for dx, dy, r in inside)
            dx, dy, r = max(inside, key=lambda ball: ball[2] - math.hypot(ball[0], ball[1]))
            light = -(dx + dy * 1.3) / r + ((px + y) % 2) * 0.25
            colour = "f" if light > 1.05 else "g" if light > 0.35 else "t" if light > -0.5 else "d"
            land.put(px, y, "k" if depth > -1 else colour, above=y < foot - 6)


def paint_wall(land: Land, column: int, row: int) -> None:
    """A block of masonry: the walk on top, and the face below it where nothing stands in front."""
    x0, y0 = column * TILE, row * TILE
    has_face = land.tile(column, row + 1) not in "#"
    for y in range(y0 - 8, y0 + TILE):
        for x in range(x0, x0 + TILE):
            on_top = y < y0 + 6 or not has_face
            if on_top:
                colour = wall_top(land, column, row, x - x0, y - (y0 - 8))
            else:
                colour = brick(x, y - y0 - 6)
            land.put(x, y, colour, above=y < y0 + 2)
    if has_face:
        for x in range(x0, x0 + TILE):
            land.put(x, y0 + TILE - 1, "k")
            for y in (y0 + TILE, y0 + TILE + 1, y0 + TILE + 2):
                land.darken(x, y)


def wall_top(land: Land, column: int, row: int, x: int, y: int) -> str:
    """The walk between two low parapets, which run along the sides that have no wall beside them."""
    left, right = land.tile(column - 1, row) != "#", land.tile(column + 1, row) != "#"
    upper, lower = land.tile(column, row - 1) != "#", land.tile(column, row + 1) != "#"
    deep = 14 if lower else 24
    if (left and x == 0) or (right and x == 15) or (upper and y == 0) or (lower and y == deep - 1):
        return "k"
    if (left and x < 4) or (upper and y < 4):
        return "b" if (x + y) % 6 == 0 else "l" if (left and x == 1) or (upper and y == 1) else "m"
    if (right and x > 11) or (lower and y > deep - 5):
        return "b" if (x + y) % 6 == 0 else "m" if (right and x == 12) or (lower and y == deep - 4) else "s"
    return "n" if (x * 5 + y * 3) % 17 == 0 else "b"


def brick(x: int, y: int) -> str:
    row = y // 4
    across = (x + (row % 2) * 4) % 8
    if y % 4 == 3 or across == 7:
        return "n"
    return "m" if y % 4 == 0 and across < 5 else "s" if (x // 8 + row) % 3 else "b"


def paint_rock(land: Land, column: int, row: int) -> None:
    x0, y0 = column * TILE + 8, row * TILE + 9
    land.shadow(x0 + 2, y0 + 5, 8, 3)
    for y in range(-6, 6):
        for x in range(-7, 8):
            reach = math.hypot(x / 7.4, y / 6.0) + 0.08 * math.sin(x * 2 + y)
            light = -(x + y * 1.4)
            colour = "l" if light > 8 else "m" if light > 3 else "s" if light > -5 else "b"
            if reach <= 1:
                land.put(x0 + x, y0 + y, "k" if reach > 0.85 else colour)


def paint_pier(land: Land, column: int, row: int) -> None:
    x0, y0 = column * TILE, row * TILE
    left_end = land.tile(column - 1, row) != "p"
    for y in range(TILE):
        for x in range(TILE):
            edge = x < 2 if left_end else x > 13
            if edge:
                colour = "k" if x in (0, 15) else "p"
            elif y % 5 == 4:
                colour = "k"
            else:
                colour = "o" if y % 5 == 0 and (x * 3 + y + column) % 7 < 2 else "r" if y % 5 < 2 else "p"
            land.put(x0 + x, y0 + y, colour)
    post = x0 + (0 if left_end else 13)
    for y in range(-3, 4):
        for x in range(3):
            land.put(post + x, y0 + 6 + y, "k" if y == 3 else "o" if y == -3 else "r" if x < 2 else "p")


def paint_house(land: Land, column: int, row: int) -> None:
    """The keeper's cottage: plastered front, shingled roof, a chimney and a door on the path."""
    x0, y0 = column * TILE, row * TILE
    x1, foot = x0 + 64, y0 + 47
    land.shadow((x0 + x1) // 2 + 4, foot, 36, 5)
    for y in range(y0 + 26, foot + 1):
        for x in range(x0, x1):
            beam = x in (x0 + 1, x0 + 2, x1 - 3, x1 - 2) or y in (foot - 1, foot - 2)
            shade = "m" if (x - x0) < 40 else "s"
            rough = (x * 7 + y * 13) % 23 == 0
            colour = "k" if x in (x0, x1 - 1) or y == foot else "p" if beam else "s" if rough else shade
            land.put(x, y, "b" if y < y0 + 31 and colour in "ms" else colour)
    paint_cottage_door(land, x0 + 34, foot)
    for y in range(y0 - 12, y0 + 29):
        paint_roof_row(land, x0, x1, y, y - (y0 - 12))
    for y in range(y0 - 18, y0 - 2):
        for x in range(x1 - 17, x1 - 8):
            rim = x in (x1 - 17, x1 - 9) or y in (y0 - 18, y0 - 15, y0 - 3)
            land.put(x, y, "k" if rim else "m" if x < x1 - 14 else brick(x, y - y0 + 18), above=True)


def paint_roof_row(land: Land, x0: int, x1: int, y: int, down: int) -> None:
    inset = max(0, 7 - down // 2)
    left, right = x0 - 4 + inset, x1 + 3 - inset
    for x in range(left, right + 1):
        row = down // 5
        across = (x + (row % 2) * 3) % 6
        if down in (0, 40) or x in (left, right):
            colour = "k"
        elif down in (1, 2):
            colour = "o" if down == 1 else "r"
        elif down % 5 == 4 or across == 0:
            colour = "p"
        elif down % 5 == 0 and across < 4 and (x // 6 + row * 5) % 4 == 0:
            colour = "o"
        else:
            colour = "p" if x > right - 14 and (x + down) % 2 else "r"
        land.put(x, y, colour, above=down < 32)


def paint_cottage_door(land: Land, x0: int, foot: int) -> None:
    for y in range(foot - 15, foot + 1):
        for x in range(x0, x0 + 12):
            rim = x in (x0, x0 + 11) or y == foot - 15
            plank = "p" if (x - x0) % 4 == 0 else "r"
            land.put(x, y, "k" if rim else "a" if (x, y) == (x0 + 9, foot - 7) else plank)
    for x in range(x0 - 1, x0 + 13):
        land.put(x, foot + 1, "l")
        land.put(x, foot + 2, "s")


def paint_tower(land: Land, column: int, row: int) -> None:
    """The beacon's tower: round, banded, narrower above, with a bowl for the fire on top."""
    middle, foot = column * TILE + 16, row * TILE + 31
    land.shadow(middle + 6, foot - 1, 22, 7)
    for up in range(62):
        y = foot - up
        half = 15 if up < 4 else 13 - up // 16
        if up >= 52:
            half = 10 + min(up - 52, 4)
        for dx in range(-half, half + 1):
            land.put(middle + dx, y, tower_colour(dx, half, up), above=up > 14)
    for y, width in ((foot - 24, 2), (foot - 40, 2)):
        for dy in range(6):
            for dx in range(-width // 2, width // 2 + 1):
                land.put(middle - 2 + dx, y + dy, "a" if dy > 0 and dx == 0 else "k", above=True)


def tower_colour(dx: int, half: int, up: int) -> str:
    if abs(dx) == half or up in (0, 4, 52, 61):
        return "k"
    around = math.asin(dx / half)
    course = up // 5
    joint = up % 5 == 2 and int(around * 9 + (course % 2) * 1.5 + 40) % 3 == 0
    if up % 5 == 0 or joint:
        return "b" if around < 0.5 else "n"
    if around < -0.75:
        return "m"
    if around < -0.3:
        return "l" if course % 4 != 3 else "o"
    if around < 0.35:
        return "m" if course % 4 != 3 else "r"
    return "s" if around < 0.85 and course % 4 != 3 else "b"


PAINTERS: dict[str, Callable[[Land, int, int], None]] = {
    "T": paint_tree,
    "#": paint_wall,
    "r": paint_rock,
    "p": paint_pier,
}
