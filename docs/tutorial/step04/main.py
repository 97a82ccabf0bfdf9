"""Step 4 of the tutorial: events. Play it with `tidelock run`."""

from pathlib import Path
from typing import Any

from engine import World
from engine.app import App

WINDOW: dict[str, Any] = {"title": "Lanterns", "size": (320, 180)}


def setup(world: World) -> None:
    world.spawn("hero", x=160, y=90)
    for x in (60, 160, 260):
        world.spawn("lantern", x=x, y=40)


if __name__ == "__main__":
    with World(Path(__file__).parent / "scripts", watch=True) as world:
        setup(world)
        App(world, **WINDOW).run()
