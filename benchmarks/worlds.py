"""Worlds on scripts that are texts, and many entities in them."""

from __future__ import annotations

import tempfile
import weakref
from pathlib import Path
from typing import Any

from engine import World


def make_world(scripts: dict[str, str], lua: str, **options: Any) -> World:
    """A strict world on a folder with these scripts; the folder goes when the world does."""
    folder = tempfile.TemporaryDirectory()
    for name, text in scripts.items():
        (Path(folder.name) / f"{name}.lua").write_text(text, encoding="utf-8")
    world = World(folder.name, lua=lua, strict=True, **options)
    weakref.finalize(world, folder.cleanup)
    return world
