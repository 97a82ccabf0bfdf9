"""Paint the land of the demo from the letters in scripts/map.lua: two pictures of the whole map."""

from __future__ import annotations

import re
from pathlib import Path

import make_things
import pygame
from land import Land

MAP = Path(__file__).parent.parent / "scripts" / "map.lua"


def pictures() -> dict[str, pygame.Surface]:
    rows = re.findall(r'^  "(.+)",$', MAP.read_text(encoding="utf-8"), re.MULTILINE)
    land = Land(rows)
    land.paint_terrain()
    land.paint_meadow()
    make_things.paint_all(land)
    return {"ground": land.ground, "canopy": land.canopy}
