"""Host modules: what a call costs, and what calls that wait cost per frame.

A call that suspends is measured from the script's line to the line after it, the frames in between included: a burst of
a thousand, ticked until all are answered.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from pathlib import Path

from benchmarks.harness import Case, machine, measure, table
from engine import HostModule, Limits, World

CALLS = 1000

EVERY_FRAME = """
local sums = require "sums"
local caller = {{}}
local function plain(a, b) return a + b end
function caller:start()
  local done = async.start(plain, 1, 2)
  while true do
    for i = 1, {calls} do {body} end
    wait()
  end
end
return caller
"""

BURST = """
local sums = require "sums"
local caller = {{}}
function caller:start()
  bus.on("go", function()
    local open = {calls}
    for i = 1, {calls} do
      task.spawn(function()
        sums.{name}(i, 1)
        open = open - 1
        if open == 0 then bus.emit("done") end
      end)
    end
  end)
end
return caller
"""

WAITING = """
local sums = require "sums"
local caller = {{}}
function caller:start()
  for i = 1, {calls} do task.spawn(sums.never) end
end
return caller
"""


def sums() -> HostModule:
    module = HostModule("sums")

    @module.function
    def add(a: int, b: int) -> int:
        return a + b

    @module.coroutine
    async def add_later(a: int, b: int) -> int:
        return a + b

    @module.blocking
    def add_slowly(a: int, b: int) -> int:
        return a + b

    @module.coroutine
    async def never() -> None:
        await asyncio.Event().wait()

    return module


def world_of(lua: str, script: str) -> World:
    folder = Path(tempfile.mkdtemp())
    (folder / "caller.lua").write_text(script)
    base = Limits.off() if lua == "luajit21" else Limits()
    limits = Limits(instructions=None, memory=base.memory, calls=None, world_calls=None)
    world = World(folder, lua=lua, limits=limits, strict=True)
    world.install(sums())
    world.spawn("caller")
    return world


def every_frame(lua: str, name: str, body: str) -> Case:
    """A call that ends in the line it began in."""
    world = world_of(lua, EVERY_FRAME.format(calls=CALLS, body=body))
    return Case(name, lambda: world.tick(1 / 60), CALLS, world.close)


def burst(lua: str, name: str, function: str, *, own_loop: bool) -> Case:
    """A thousand calls that suspend, in one frame; `own_loop` ticks the world from a coroutine."""
    world = world_of(lua, BURST.format(calls=CALLS, name=function))
    done: list[object] = []
    world.bus.on("done", done.append)
    runner = asyncio.Runner()

    async def run_inside() -> None:
        done.clear()
        world.bus.emit("go")
        while not done:
            world.tick(1 / 60)
            await asyncio.sleep(0)

    def run() -> None:
        done.clear()
        world.bus.emit("go")
        while not done:
            world.tick(1 / 60)
            time.sleep(0.0005)

    def close() -> None:
        world.close()
        runner.close()

    return Case(name, (lambda: runner.run(run_inside())) if own_loop else run, CALLS, close)


def waiting(lua: str, name: str, calls: int) -> Case:
    """A frame in which nothing happens, while so many calls wait."""
    world = world_of(lua, WAITING.format(calls=calls))
    for _ in range(10):
        world.tick(1 / 60)
    return Case(name, lambda: world.tick(1 / 60), 1, world.close)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lua", nargs="*", default=["lua55", "luajit21"])
    parser.add_argument("--rounds", type=int, default=9)
    options = parser.parse_args()
    print(machine())
    for lua in options.lua:
        calls = [
            every_frame(lua, "a Lua function", "plain(i, 1)"),
            every_frame(lua, "a future that is done", "done:await()"),
            every_frame(lua, "`@module.function`", "sums.add(i, 1)"),
            burst(lua, "`@module.coroutine` in the host's loop", "add_later", own_loop=True),
            burst(lua, "`@module.coroutine` in the world's thread", "add_later", own_loop=False),
            burst(lua, "`@module.blocking`", "add_slowly", own_loop=False),
        ]
        measure(calls, rounds=options.rounds, repeat=3)
        print("\n" + table(f"{lua}: one call", calls, "`@module.function`", unit="call"))
        frames = [waiting(lua, "no call waits", 0), waiting(lua, f"{CALLS} calls wait", CALLS)]
        measure(frames, rounds=options.rounds, repeat=200)
        print("\n" + table(f"{lua}: an idle frame", frames, "no call waits"))


if __name__ == "__main__":
    main()
