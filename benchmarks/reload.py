"""What saving a script costs: from the save to the new version, and to the picture.

A writer saves the script in the middle of a game at 60 frames a second; the game's loop is watched meanwhile. "Work" is
what the frame computed, "frame" what it took with the wait for the next one: only a late frame is seen.
"""

from __future__ import annotations

import argparse
import gc
import os
import statistics
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks import handover
from benchmarks.harness import machine
from engine import World

FPS = 60
REST = 600  # frames at most between two saves
SPARE = 0.001  # as engine.app.app

SCRIPT = """
local mover = {}

mover.properties = { speed = SPEED, hp = 10 }

function mover:init()
  self.vx, self.vy = entity.id % 7 - 3, entity.id % 5 - 2
end

function mover:start()
  self.color = "COLOR"
  bus.on("alarm", function() self.hp = self.hp - 1 end)
  task.every(1, function() self.vx = -self.vx end)
end

function mover:update(dt)
  self.x = self.x + self.vx * dt
  self.y = self.y + self.vy * dt
end

return mover
"""


@dataclass
class Run:
    """One count of instances: all in seconds."""

    count: int
    live: list[float]
    longest: list[float]
    interval: list[float]
    median: float
    usual: float


def text(n: int) -> str:
    return SCRIPT.replace("SPEED", str(n)).replace("COLOR", "#ff0000" if n % 2 else "#00ff00")


def save(file: Path, n: int) -> None:
    """As editors do: write aside, then rename."""
    aside = file.with_suffix(".tmp")
    aside.write_text(text(n))
    aside.replace(file)


def game(lua: str, isolation: str, count: int) -> tuple[World, Path]:
    folder = Path(tempfile.mkdtemp())
    file = folder / "mover.lua"
    file.write_text(text(0))
    world = World(folder, lua=lua, isolation=isolation, strict=True, watch=True)
    for i in range(count):
        world.spawn("mover", x=float(i), y=0.0)
    return world, file


class Frames:
    """A loop at 60 frames a second that notes what each frame took."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._next = time.perf_counter()
        self._last = self._next
        self.busy = False  # a reload left something to do
        self.work: list[float] = []
        self.whole: list[float] = []

    def one(self) -> None:
        began = time.perf_counter()
        self._world.tick(1 / FPS)
        done = time.perf_counter()
        self.work.append(done - began)
        self._next = max(self._next + 1 / FPS, done)
        self.busy = True
        while (left := self._next - time.perf_counter() - SPARE) > 0 and self.busy:
            self.busy = self._world.idle(left)
        time.sleep(max(0.0, self._next - time.perf_counter()))
        now = time.perf_counter()
        self.whole.append(now - self._last)
        self._last = now

    def rest(self) -> None:
        """Go on until the world has nothing to do between frames, as long before anybody saves again."""
        for n in range(REST):
            self.one()
            if n > 15 and not self.busy:
                return

    def clear(self) -> None:
        """Forget what was noted, and what was done between two frames."""
        self.work, self.whole = [], []
        self._next = self._last = time.perf_counter()


def measure(lua: str, isolation: str, count: int, rounds: int) -> Run:
    world, file = game(lua, isolation, count)
    live: list[float] = []
    world.on_reload(lambda _: live.append(time.perf_counter()))
    frames = Frames(world)
    for _ in range(30):
        frames.one()
    frames.rest()
    frames.clear()
    for _ in range(60):
        frames.one()
    median, usual = statistics.median(frames.work), statistics.median(frames.whole)
    run = Run(count, [], [], [], median, usual)
    for n in range(1, rounds + 1):
        gc.collect()
        frames.clear()
        saved = time.perf_counter()
        save(file, n)
        while len(live) < n:
            frames.one()
        frames.rest()  # what is left of the old states is freed
        run.live.append(live[-1] - saved)
        run.longest.append(max(frames.work))
        run.interval.append(max(frames.whole))
    world.close()
    return run


def table(lua: str, isolation: str, runs: list[Run]) -> str:
    rows = [
        f'### Save to live on {lua}, isolation="{isolation}"',
        "",
        "| instances | save to live | longest work | median work | longest frame | usual frame | ratio of frames |",
        "|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for run in runs:
        longest, interval = statistics.median(run.longest), statistics.median(run.interval)
        values = [statistics.median(run.live), longest, run.median, interval, run.usual]
        shown = " | ".join(f"{value * 1000:.1f} ms" for value in values)
        rows.append(f"| {run.count:,} | {shown} | {interval / run.usual:.2f} |")
    if isolation == "entity":
        rows.append(floor(lua, runs[-1].count, len(runs[-1].live)))
    return "\n".join(rows)


def floor(lua: str, count: int, rounds: int) -> str:
    """The row of bare runtimes, whose frames are what they compute, or the usual ones where that is less."""
    longest, median = handover.measure(lua, count, rounds)
    interval = max(longest, 1 / FPS)
    values = [longest, median, interval, 1 / FPS]
    shown = " | ".join(f"{value * 1000:.1f} ms" for value in values)
    return f"| {count:,}, floor | | {shown} | {interval * FPS:.2f} |"


def screen(lua: str, rounds: int) -> list[float]:
    """Seconds from a save to the pixel that it changes, with 10 instances in a window at 60 frames a second."""
    os.environ.setdefault("SDL_VIDEODRIVER", "dummy")
    os.environ.setdefault("SDL_AUDIODRIVER", "dummy")
    import pygame

    from engine.app import App
    from engine.app.pace import RealTime

    world, file = game(lua, "entity", 10)
    (file.parent / "painter.lua").write_text(
        "return { update = function() local id = entity.find('mover')[1]\n"
        "  if shared.get('color') then draw.rect(100, 60, 8, 8, shared.get('color')) end end }"
    )
    file.write_text(text(0).replace('self.color = "', 'shared.set("color", "').replace('00"\n', '00")\n'))
    world.spawn("painter")
    taken: list[float] = []
    with App(world, size=(160, 90), scale=1, headless=True, watch=False) as app:
        pace = RealTime(FPS)

        def until(color: tuple[int, int, int]) -> None:
            while pygame.display.get_surface().get_at((103, 63))[:3] != color:
                time.sleep(pace.wait())
                app.step(pace.dt())

        world.reload("mover")
        until((0, 255, 0))
        for n in range(1, rounds + 1):
            changed = text(n).replace('self.color = "', 'shared.set("color", "').replace('00"\n', '00")\n')
            saved = time.perf_counter()
            file.write_text(changed)
            until((255, 0, 0) if n % 2 else (0, 255, 0))
            taken.append(time.perf_counter() - saved)
    return taken


def soak(lua: str, isolation: str, reloads: int = 1000, count: int = 100) -> str:
    """Memory over many reloads, one row of figures."""
    world, _ = game(lua, isolation, count)
    used: list[float] = []
    for n in range(reloads + 1):
        if n:
            world.reload("mover")
        world.tick(1 / FPS)
        if n in (10, reloads // 2, reloads):
            gc.collect()
            used.append(resident())
    leaks = len(world.leaks())
    world.close()
    shown = " → ".join(f"{each:.1f}" for each in used)
    return f"{reloads:,} reloads of {count} entities on {lua}, {isolation}: {shown} MiB resident, {leaks} leaks"


def resident() -> float:
    """MiB that this process holds now; Linux."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def plot(runs: dict[str, list[Run]], file: Path) -> None:
    from matplotlib import pyplot

    figure, (left, right) = pyplot.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
    for name, each in runs.items():
        counts = [run.count for run in each]
        left.plot(counts, [statistics.median(run.live) * 1000 for run in each], "o-", label=name)
        right.plot(counts, [statistics.median(run.interval) / run.usual for run in each], "o-", label=name)
    for axes, title in ((left, "save to live, ms"), (right, "longest frame / usual frame")):
        axes.set_xscale("log")
        axes.set_xlabel("instances")
        axes.set_title(title)
        axes.set_ylim(bottom=0)
        axes.grid(alpha=0.3)
    left.legend(frameon=False)
    figure.savefig(file)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, nargs="*", default=[1, 10, 100, 1000])
    parser.add_argument("--lua", nargs="*", default=["lua55", "lua54", "luajit21"])
    parser.add_argument("--isolation", nargs="*", default=["entity", "script"])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--soak", action="store_true", help="only the memory of 1,000 reloads of 100 entities")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="draw it, needs matplotlib")
    options = parser.parse_args()
    print(machine(), end="\n\n")
    if options.soak:
        for lua in options.lua:
            for isolation in options.isolation:
                print(soak(lua, isolation), flush=True)
        return
    runs: dict[str, list[Run]] = {}
    for lua in options.lua:
        for isolation in options.isolation:
            found = [measure(lua, isolation, count, options.rounds) for count in options.count]
            runs[f"{lua}, {isolation}"] = found
            print(table(lua, isolation, found), end="\n\n", flush=True)
        taken = screen(lua, 2 * options.rounds)
        print(
            f"Save to screen on {lua}, 10 instances at {FPS} frames a second: median "
            f"{statistics.median(taken) * 1000:.0f} ms, longest {max(taken) * 1000:.0f} ms\n",
            flush=True,
        )
    if options.plot:
        plot(runs, options.plot)


if __name__ == "__main__":
    main()
