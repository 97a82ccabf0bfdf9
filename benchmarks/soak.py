"""A soak: a million entities are made and destroyed with everything in play, and the memory stays where it was.

Handlers, tasks, timers, requests, shared data, handles, functions held by Python, host calls of both kinds and reloads
are in use. One entity in ten has a state of its own, the others share one with their kind. The memory of the process is
sampled a hundred times; after the warm-up the last tenth of the samples must lie within 2% of the second tenth, with
Python's gc on and with it off.
"""

from __future__ import annotations

import argparse
import ctypes
import gc
import mmap
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import fmean

from benchmarks.harness import machine
from engine import HostModule, World
from engine.host import Callback

SAMPLES = 100
BATCH = 100
ALLOWED = 0.02

VISITOR = """
local store = require("store")
local visitor = { isolation = "ISOLATION" }

function visitor:init()
  self.log = { "made" }
end

function visitor:start()
  self._judge = function(x) return x + self.n end
  bus.on("bell", function(event) self.n = self.n + event.payload.by end)
  bus.on("bell.*", function() wait(100) end)
  bus.handle("name", function() return "visitor " .. entity.id end)
  shared.watch("hour", function() self.log[#self.log + 1] = "hour" end)
  entity.tag("visitor")
  task.every(0.01, function() self.n = self.n + 1 end)
  task.delay(1e6, function() end)
  task.spawn(function() task.wait_event("never", 1e6) end)
  store.keep(self._judge)
  self.n = store.count(self.log)
  coroutine.wrap(function() coroutine.yield(self) end)()
  local other = entity.find("visitor")[1]
  if other and other ~= entity.id then
    self._known, self._friend = pcall(bus.request, other, "name", nil, 1) -- it may be reloaded meanwhile
  end
  if self.waits then
    store.fetch(entity.id)
  end
  wait(1e6)
end

return visitor
"""


def store_of(kept: list[Callback]) -> HostModule:
    store = HostModule("store")

    @store.function
    def keep(function: Callback) -> None:
        kept.append(function)

    @store.function
    def count(items: list[str]) -> int:
        return len(items)

    @store.blocking
    def fetch(id: int) -> dict[str, int]:
        return {"id": id}

    return store


class Soak:
    """The world, and what Python holds of it for a while."""

    def __init__(self, folder: Path, lua: str) -> None:
        for name, isolation in (("loner", "entity"), ("sheep", "script")):
            (folder / f"{name}.lua").write_text(VISITOR.replace("ISOLATION", isolation))
        self.kept: list[Callback] = []
        self.world = World(folder, lua=lua, seed=1)
        self.world.install(store_of(self.kept))
        self.survivor = self.world.spawn("sheep", n=0)  # keeps the shared state alive from the first batch to the last
        self.batches = 0

    def run(self) -> None:
        """Make a batch of entities, use them for three frames, destroy them."""
        world = self.world
        self.batches += 1
        entities = [world.spawn("loner" if i % 10 == 0 else "sheep", n=i, waits=i % 20 == 0) for i in range(BATCH)]
        world.bus.emit("bell", {"by": 2})
        world.shared.set("hour", self.batches)
        request = world.bus.request(entities[3], "name")
        world.tick(0.01)
        for entity in entities[::5]:
            with entity.self.upgrade() as self_:
                self_["log"] = [*self_["log"].copy(), "seen"]
                world.bus.send(entity, "bell", {"by": self_["_judge"](1)})
        handles = [entity.self for entity in entities[::3]]
        for function in self.kept[::7]:
            function(1)
        if self.batches % 10 == 0:
            world.reload("loner")
        if self.batches % 50 == 0:
            world.reload("sheep")
        world.tick(0.01)
        assert request.result(timeout=0).startswith("visitor")
        for entity in entities:
            entity.destroy()
        world.tick(0.01)
        self.kept.clear()
        assert not any(handle.alive for handle in handles)


def trimmer() -> Callable[[int], object]:
    """What makes the C library give back what nobody uses; only glibc can be asked to."""
    try:
        trim: Callable[[int], object] = ctypes.CDLL("libc.so.6").malloc_trim
    except (OSError, AttributeError):
        return int
    return trim


def resident() -> int:
    """Bytes of memory that this process has."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * mmap.PAGESIZE


def soak(spawns: int, lua: str) -> list[int]:
    """The memory after each hundredth of so many spawns."""
    samples, trim = [], trimmer()
    with tempfile.TemporaryDirectory() as folder:
        soak = Soak(Path(folder), lua)
        batches = max(spawns // BATCH // SAMPLES, 1)
        for _ in range(SAMPLES):
            for _ in range(batches):
                soak.run()
            # What Lua's collector has not come to yet would be noise of several MiB.
            assert soak.survivor.actor is not None
            soak.survivor.actor.trusted("collect")
            trim(0)
            samples.append(resident())
        stats = soak.world.stats()
        leaks = soak.world.leaks()
        problems = soak.world.problems
        soak.world.close()
    if problems or leaks or (stats.entities, stats.states, stats.handles) != (1, 1, 0):
        raise SystemExit(f"something is left: {stats}, {leaks}, {problems}")
    return samples


def tenths(samples: list[int]) -> list[float]:
    size = len(samples) // 10
    return [fmean(samples[start : start + size]) for start in range(0, len(samples), size)]


def drift(samples: list[int]) -> float:
    """How far the last tenth lies above the second tenth."""
    means = tenths(samples)
    return means[-1] / means[1] - 1


def plot(samples: list[int], height: int = 10) -> str:
    """The samples as text, the axis from zero."""
    top = max(samples)
    rows = []
    for row in range(height, 0, -1):
        level = top * row / height
        marks = "".join("#" if sample > level - top / height / 2 else " " for sample in samples)
        rows.append(f"{level / 2**20:7.1f} |{marks}")
    return "\n".join([*rows, "    MiB +" + "-" * len(samples)])


def report(spawns: int, lua: str, collects: bool) -> int:
    if not collects:
        gc.disable()
    started = time.perf_counter()
    samples = soak(spawns, lua)
    taken = time.perf_counter() - started
    print(f"{lua}, {spawns:,} spawns, gc {'on' if collects else 'off'}: {taken:.0f} s")
    print(plot(samples))
    print("MiB, mean of each tenth:", *(f"{mean / 2**20:.2f}" for mean in tenths(samples)))
    print(f"last tenth against second tenth: {drift(samples):+.2%} (allowed: {ALLOWED:.0%})\n", flush=True)
    return int(drift(samples) > ALLOWED)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--spawns", type=int, default=1_000_000)
    parser.add_argument("--lua", default="lua55", choices=["lua55", "lua54", "luajit21"])
    parser.add_argument("--gc", default="both", choices=["on", "off", "both"], help="both: a process for each")
    options = parser.parse_args()
    if options.gc != "both":
        raise SystemExit(report(options.spawns, options.lua, options.gc == "on"))
    print(machine(), end="\n\n", flush=True)
    words = [sys.executable, "-m", "benchmarks.soak", "--lua", options.lua, "--spawns", str(options.spawns)]
    raise SystemExit(max(subprocess.run([*words, "--gc", collects]).returncode for collects in ("on", "off")))


if __name__ == "__main__":
    main()
