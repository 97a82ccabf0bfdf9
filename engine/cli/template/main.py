"""TITLE. Play it with `tidelock run`, or with `python main.py`."""

from pathlib import Path
from typing import Any

from engine import World
from engine.app import App

WINDOW: dict[str, Any] = {"title": "TITLE", "size": (320, 180)}


def setup(world: World) -> None:
    """Make the first entities; host modules are installed here too."""
    world.spawn("hero", x=160, y=90)
    for x in (60, 160, 260):
        world.spawn("lantern", x=x, y=40)


if __name__ == "__main__":
    with World(Path(__file__).parent / "scripts", watch=True) as world:
        setup(world)
        App(world, **WINDOW).run()
