"""Paint the pictures of the demo and play its sounds into files: python assets/make.py

Everything is made of one palette and a fixed seed, so a second run writes the same bytes.
"""

from __future__ import annotations

import os
from pathlib import Path

os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")

import make_ground
import make_sounds
import pygame
from palette import FRAME, PALETTE

HERE = Path(__file__).parent
Frame = list[str]


def main() -> None:
    for name, frames in read_sheets((HERE / "sprites.txt").read_text(encoding="utf-8")).items():
        pygame.image.save(paint(frames), str(HERE / f"{name}.png"))
    for name, picture in make_ground.pictures().items():
        pygame.image.save(picture, str(HERE / f"{name}.png"))
    make_sounds.write_all(HERE)


def read_sheets(text: str) -> dict[str, list[Frame]]:
    """Frames of every sheet by name, each a list of 16 rows."""
    sheets: dict[str, list[Frame]] = {}
    name = ""
    for line in text.splitlines():
        if line.startswith("@"):
            name = line[1:]
            sheets[name] = []
        elif name and line:
            if not sheets[name] or len(sheets[name][-1]) == FRAME:
                sheets[name].append([])
            sheets[name][-1].append(line)
    for name, frames in sheets.items():
        for number, frame in enumerate(frames):
            check(name, number, frame)
    return sheets


def check(name: str, number: int, frame: Frame) -> None:
    if len(frame) != FRAME:
        raise SystemExit(f"sprites.txt: @{name}, frame {number} has {len(frame)} rows, not {FRAME}")
    for row in frame:
        if len(row) != FRAME or not set(row) <= {".", *PALETTE}:
            raise SystemExit(f"sprites.txt: @{name}, frame {number}: bad row {row!r}")


def paint(frames: list[Frame]) -> pygame.Surface:
    """One sheet: the frames side by side."""
    sheet = pygame.Surface((FRAME * len(frames), FRAME), pygame.SRCALPHA)
    for column, frame in enumerate(frames):
        for y, row in enumerate(frame):
            for x, letter in enumerate(row):
                if letter != ".":
                    sheet.set_at((column * FRAME + x, y), PALETTE[letter])
    return sheet


if __name__ == "__main__":
    main()
