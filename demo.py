"""A small game at night, told by the Lua scripts in scripts/: walk, gather embers, light the beacon."""

import argparse
import contextlib
import sys
from pathlib import Path

from engine import World
from engine.app import App, display_available

HERE = Path(__file__).parent
MOONLIGHT = "#4a5580"


def main() -> int:
    options = read_options()
    with World(HERE / "scripts", seed=options.seed, lua=options.lua, watch=not options.headless) as world:
        world.spawn("level")
        world.spawn("player", x=280, y=176)
        world.spawn("intro")

        app = App(world, title="The Keeper's Night", size=(320, 180), scale=3, headless=options.headless)
        app.ambient = MOONLIGHT
        with contextlib.suppress(KeyboardInterrupt):
            app.run(frames=options.frames, screenshot=options.screenshot)

        for problem in world.problems:
            print(f"{problem.script}:{problem.line}: {problem.message} (x{problem.count})", file=sys.stderr)
        return 1 if options.headless and world.problems else 0


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--headless", action="store_true", help="no window; 600 frames unless told")
    parser.add_argument("--frames", type=int, help="end after so many frames, 1 or more")
    parser.add_argument("--screenshot", type=Path, metavar="FILE", help="write the last frame to a .png")
    parser.add_argument("--seed", type=int, default=7, help="the same seed plays the same night")
    parser.add_argument("--lua", default="lua55", choices=("lua55", "lua54", "luajit21"))
    options = parser.parse_args()
    if options.frames is not None and options.frames < 1:
        parser.error(f"--frames must be 1 or more, got {options.frames}")
    if options.screenshot is not None and options.screenshot.suffix.lower() != ".png":
        parser.error(f"--screenshot must end in .png, got {options.screenshot}")

    no_display = not options.headless and not display_available()
    options.headless = options.headless or no_display
    if options.headless and options.frames is None:
        options.frames = 600
    if no_display:
        options.screenshot = options.screenshot or Path("demo.png")
        print(f"No display here: playing {options.frames} frames without, last one in {options.screenshot}.")
    elif not options.headless:
        print("Edit scripts/lamp.lua and save: watch the lamps.")
    return options


if __name__ == "__main__":
    sys.exit(main())
