"""Step 10 of the tutorial. Play it with `tidelock run`."""

import json
from pathlib import Path
from typing import Any

from engine import HostModule, World
from engine.app import App

HERE = Path(__file__).parent
WINDOW: dict[str, Any] = {"title": "Lanterns", "size": (320, 180)}

scores = HostModule("scores", doc="The best time, kept in a file.")


@scores.blocking
def best(seconds: float, file: str = "best.json") -> float:
    """Note a time; returns the best one so far."""
    path = HERE / file
    before = json.loads(path.read_text()) if path.exists() else seconds
    path.write_text(json.dumps(min(before, seconds)))
    return min(before, seconds)


def setup(world: World) -> None:
    world.install(scores)
    world.spawn("level")
    world.spawn("hero", x=160, y=90)


if __name__ == "__main__":
    with World(HERE / "scripts", watch=True) as world:
        setup(world)
        App(world, **WINDOW).run()
