"""Sleepers: what a frame costs against how many tasks, or states, are asleep in it. One task is awake throughout.

Beside the tasks of one state stands a scheduler that looks at every sleeper in every frame, as a simple one would.
`--plot FILE` draws the table; that needs the extra `bench`.
"""

from __future__ import annotations

import argparse
import importlib
import tempfile
from collections.abc import Callable
from pathlib import Path

from benchmarks.harness import Case, machine, measure, nice
from engine import Limits, World

TASKS = """
local sleepers = {}

function sleepers:start()
  for i = 1, self.count do
    task.spawn(wait, 1e6 + i)
  end
  while true do
    wait()
  end
end

return sleepers
"""

SLEEPER = "return { start = function() wait(1e6) end }"

SCAN = """
function(count)
  local sleepers, now = {}, 0
  for i = 1, count do
    sleepers[i] = { due = 1e6 + i, thread = coroutine.create(function() end) }
  end
  local awake = coroutine.wrap(function() while true do coroutine.yield() end end)
  return function()
    now = now + 1 / 60
    for i = 1, #sleepers do
      if sleepers[i].due <= now then
        coroutine.resume(sleepers[i].thread)
      end
    end
    awake()
  end
end
"""

Make = Callable[[str, int], Case]


def tasks_asleep(lua: str, count: int) -> Case:
    """One state with `count` sleeping tasks."""
    world = world_of({"sleepers": TASKS}, lua)
    world.spawn("sleepers", count=count)
    return Case(f"tasks/{count}", lambda: world.tick(1 / 60), close=world.close)


def states_asleep(lua: str, count: int) -> Case:
    """`count` states whose only task sleeps, and one that wakes every frame."""
    world = world_of({"sleepers": TASKS, "sleeper": SLEEPER}, lua)
    for _ in range(count):
        world.spawn("sleeper")
    world.spawn("sleepers", count=0)
    return Case(f"states/{count}", lambda: world.tick(1 / 60), close=world.close)


def scanned(lua: str, count: int) -> Case:
    """The plain way: every sleeper is looked at in every frame."""
    tick = importlib.import_module(f"lupa.{lua}").LuaRuntime().eval(SCAN)(count)
    return Case(f"scan/{count}", tick)


def world_of(scripts: dict[str, str], lua: str) -> World:
    folder = Path(tempfile.mkdtemp())
    for name, text in scripts.items():
        (folder / f"{name}.lua").write_text(text)
    return World(folder, lua=lua, limits=Limits.off(), strict=True)


def cost(make: Make, lua: str, counts: list[int]) -> list[float]:
    """Seconds per frame for each number of sleepers. All cases are timed in turn, so that noise hits them alike."""
    return [case.median for case in measure([make(lua, count) for count in counts], rounds=9, repeat=30)]


def rows(lua: str, columns: dict[str, tuple[Make, list[int]]]) -> tuple[str, dict[str, dict[int, float]]]:
    """The table in Markdown, and its figures: column -> number asleep -> seconds per frame."""
    figures = {
        name: dict(zip(counts, cost(make, lua, counts), strict=True)) for name, (make, counts) in columns.items()
    }
    numbers = sorted({number for column in figures.values() for number in column})
    lines = [f"### A frame on {lua}, by how many are asleep", ""]
    lines += ["| asleep | " + " | ".join(figures) + " |", "|---:|" + "---:|" * len(figures)]
    for number in numbers:
        cells = [nice(column[number]) if number in column else "" for column in figures.values()]
        lines.append(f"| {number:,} | " + " | ".join(cells) + " |")
    return "\n".join(lines), figures


def plot(file: Path, figures: dict[str, dict[int, float]], lua: str) -> None:
    """Draw the columns as lines over the number asleep."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 3.6), layout="constrained")
    axes = figure.subplots()
    for name, column in figures.items():
        axes.plot(list(column), [seconds * 1e6 for seconds in column.values()], marker="o", label=name)
    axes.set_xscale("symlog", linthresh=100)
    axes.set_yscale("log")
    axes.set_xlabel("asleep")
    axes.set_ylabel("µs per frame")
    axes.set_title(f"What sleepers cost on {lua}")
    axes.grid(alpha=0.3)
    axes.legend()
    figure.savefig(file, dpi=120)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", type=int, nargs="*", default=[0, 100, 1_000, 10_000, 100_000])
    parser.add_argument("--states", type=int, nargs="*", default=[0, 100, 1_000, 10_000])
    parser.add_argument("--lua", nargs="*", default=["lua55", "lua54", "luajit21"])
    parser.add_argument("--plot", type=Path, metavar="FILE", help="a picture of the first version's table")
    options = parser.parse_args()
    print(machine(), end="\n\n")
    for lua in options.lua:
        text, figures = rows(
            lua,
            {
                "tasks of one state": (tasks_asleep, options.tasks),
                "states": (states_asleep, options.states),
                "tasks, each looked at": (scanned, options.tasks),
            },
        )
        print(text, end="\n\n")
        if options.plot and lua == options.lua[0]:
            try:
                plot(options.plot, figures, lua)
            except ImportError:
                print('no picture: matplotlib is missing; pip install -e ".[bench]"\n')


if __name__ == "__main__":
    main()
