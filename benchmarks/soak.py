"""A soak: a million entities are made and destroyed with everything in play, and the memory stays where it was.

Handlers, tasks, timers, requests, shared data, handles, functions held by Python, host calls of every kind and reloads
are in use. One entity in ten has a state of its own, the others share one with their kind. Memory is sampled a
hundred times; after the warm-up the last tenth of the samples must lie within 2% of the second tenth, with Python's gc
on and with it off: what the process has, what Lua counts, and how many blocks Python has.
"""

from __future__ import annotations

import argparse
import gc
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks import memory
from benchmarks.harness import machine
from benchmarks.memory import Sample, Sampler
from engine import Entity, HostModule, World
from engine.host import Callback

SAMPLES = 100
BATCH = 100
OWN = 10
"""Every so manyth entity has a state of its own."""

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
  shared.watch("hour", function(event) self.log[1 + event.payload % 10] = "hour" end)
  entity.tag("visitor")
  task.every(0.01, function() self.n = self.n + 1 end)
  task.delay(1e6, function() end)
  task.spawn(function() task.wait_event("never", 1e6) end)
  task.cancel(task.spawn(function() task.finally(function() self.n = self.n end); wait(1e6) end))
  task.spawn(function() task.group(function(g) g.spawn(wait, 1e6); g.spawn(wait, 1e6) end) end)
  store.keep(self._judge)
  self.n = store.count(self.log)
  coroutine.wrap(function() coroutine.yield(self) end)()
  if self.friend then
    self._known, self._friend = pcall(bus.request, self.friend, "name", nil, 1) -- it may be reloaded meanwhile
  end
  if self.waits then
    self._others = #entity.find("visitor")
    store.fetch(entity.id)
    store.ask(entity.id)
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

    @store.coroutine
    async def ask(id: int) -> list[int]:
        return [id]

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
        entities: list[Entity] = []
        for i in range(BATCH):
            friend = entities[i // 2].id if i else None
            name = "loner" if i % OWN == 0 else "sheep"
            entities.append(world.spawn(name, n=i, waits=i % 10 in (0, 1), friend=friend))
        world.bus.emit("bell", {"by": 2})
        world.shared.set("hour", self.batches)
        request = world.bus.request(entities[3], "name")
        world.tick(0.01)
        for entity in entities[::5]:
            with entity.self.upgrade() as self_:
                self_["log"] = [*self_["log"].copy(), "seen"]
                world.bus.send(entity, "bell", {"by": self_["_judge"](1)})
        handles = [entity.self for entity in entities[::3]]
        calls = [function.submit(1) for function in self.kept[::11]]
        for function in self.kept[::7]:
            function(1)
        if self.batches % 10 == 0:
            world.reload("loner")
        if self.batches % 50 == 0:
            world.reload("sheep")
        world.tick(0.01)
        assert request.result(timeout=0).startswith("visitor")
        assert all(call.done() for call in calls)
        for entity in entities:
            entity.destroy()
        world.tick(0.01)
        self.kept.clear()
        assert not any(handle.alive for handle in handles)


def soak(spawns: int, lua: str) -> list[Sample]:
    """A sample after each hundredth of so many spawns."""
    sampler = Sampler()
    with tempfile.TemporaryDirectory() as folder:
        soak = Soak(Path(folder), lua)
        batches = max(spawns // BATCH // SAMPLES, 1)
        for _ in range(SAMPLES):
            for _ in range(batches):
                soak.run()
            # What Lua's collector has not come to yet would be noise of several MiB.
            actor = soak.survivor.actor
            assert actor is not None
            actor.trusted("collect")
            sampler.take(soak.batches * BATCH, actor.memory)
            print(sampler, end=" ", flush=True)
        print()
        stats = soak.world.stats()
        leaks = soak.world.leaks()
        problems = soak.world.problems
        soak.world.close()
    if problems or leaks or (stats.entities, stats.states, stats.handles) != (1, 1, 0):
        raise SystemExit(f"something is left: {stats}, {leaks}, {problems}")
    return sampler.samples


def report(spawns: int, lua: str, collects: bool, data: Path | None) -> int:
    if not collects:
        gc.disable()
    started = time.perf_counter()
    samples = soak(spawns, lua)
    taken = time.perf_counter() - started
    run = f"{lua}, gc {'on' if collects else 'off'}"
    print(f"{run}, {samples[-1].spawns:,} spawns in {taken:.0f} s")
    print(memory.table(samples), f"allowed: {memory.ALLOWED:+.0%}", sep="\n", end="\n\n", flush=True)
    if data:
        memory.write(data, run, samples)
    return int(not memory.is_flat(samples))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--spawns", type=int, default=1_000_000)
    parser.add_argument("--lua", default="lua55", choices=["lua55", "lua54", "luajit21"])
    parser.add_argument("--gc", default="both", choices=["on", "off", "both"], help="both: a process for each")
    parser.add_argument("--data", type=Path, metavar="CSV", help="put the samples into this file")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="draw what is in the --data file; runs nothing")
    options = parser.parse_args()
    if options.plot:
        memory.plot(memory.read(options.data), options.plot)
        raise SystemExit
    if options.gc != "both":
        raise SystemExit(report(options.spawns, options.lua, options.gc == "on", options.data))
    print(machine(), end="\n\n", flush=True)
    words = [sys.executable, "-m", "benchmarks.soak", "--lua", options.lua, "--spawns", str(options.spawns)]
    words += ["--data", str(options.data)] if options.data else []
    raise SystemExit(max(subprocess.run([*words, "--gc", collects]).returncode for collects in ("on", "off")))


if __name__ == "__main__":
    main()
