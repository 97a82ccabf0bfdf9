"""Step 8 of the tutorial: a scene. Play it with `tidelock run`."""

from pathlib import Path
from typing import Any

from engine import World
from engine.app import App

WINDOW: dict[str, Any] = {"title": "Lanterns", "size": (320, 180)}


def setup(world: World) -> None:
    world.spawn("level")
    world.spawn("hero", x=160, y=90)


if __name__ == "__main__":
    with World(Path(__file__).parent / "scripts", watch=True) as world:
        setup(world)
        App(world, **WINDOW).run()
