"""Worlds on scripts that are texts, and many entities in them."""

from __future__ import annotations

import tempfile
import weakref
from pathlib import Path
from typing import Any

from engine import Entity, World

BATCH = 100


def make_world(scripts: dict[str, str], lua: str, **options: Any) -> World:
    """A strict world on a folder with these scripts; the folder goes when the world does."""
    folder = tempfile.TemporaryDirectory()
    for name, text in scripts.items():
        (Path(folder.name) / f"{name}.lua").write_text(text, encoding="utf-8")
    world = World(folder.name, lua=lua, strict=True, **options)
    weakref.finalize(world, folder.cleanup)
    return world


def spawn_together(world: World, script: str, fields: list[dict[str, float]]) -> list[Entity]:
    """Spawn an entity for each of `fields`, all of which share one state.

    A state tells where all of its entities are after each mail, so births one by one take the square of their number.
    Here the mail of many is handed over at once.
    """
    first = world.spawn(script, **fields[0])
    actor = first.actor
    assert actor is not None
    made = [first]
    for start in range(1, len(fields), BATCH):
        actor.hand = actor.inbox.append  # type: ignore[method-assign]
        made += [world.spawn(script, **each) for each in fields[start : start + BATCH]]
        del actor.hand
        world.loop.absorb(actor, actor.deliver(actor.clock.args))
    return made
