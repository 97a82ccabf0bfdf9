"""Host modules: what a call costs, and what calls that wait cost per frame.

A call that suspends is measured from the script's line to the line after it, the frames in between included: a burst of
a thousand, ticked until all are answered.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator

from benchmarks.harness import Case, Size, compare, main
from benchmarks.tables import Table
from benchmarks.worlds import make_world
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
    base = Limits.off() if lua == "luajit21" else Limits()
    limits = base.but(instructions=None, calls=None, world_calls=None)
    world = make_world({"caller": script}, lua, limits=limits)
    world.install(sums())
    world.spawn("caller")
    return world


def every_frame(lua: str, name: str, body: str, calls: int) -> Case:
    """A call that ends in the line it began in."""
    world = world_of(lua, EVERY_FRAME.format(calls=calls, body=body))
    return Case(name, lambda: world.tick(1 / 60), calls, world.close)


def burst(lua: str, name: str, function: str, calls: int, *, own_loop: bool) -> Case:
    """A thousand calls that suspend, in one frame; `own_loop` ticks the world from a coroutine."""
    world = world_of(lua, BURST.format(calls=calls, name=function))
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

    return Case(name, (lambda: runner.run(run_inside())) if own_loop else run, calls, close)


def waiting(lua: str, name: str, calls: int) -> Case:
    """A frame in which nothing happens, while so many calls wait."""
    world = world_of(lua, WAITING.format(calls=calls))
    for _ in range(10):
        world.tick(1 / 60)
    return Case(name, lambda: world.tick(1 / 60), 1, world.close)


def tables(size: Size, luas: list[str]) -> Iterator[Table]:
    calls = size.count(CALLS)
    for lua in [lua for lua in luas if lua != "lua54"]:  # which is as lua55 here
        cases = [
            every_frame(lua, "a Lua function", "plain(i, 1)", calls),
            every_frame(lua, "a future that is done", "done:await()", calls),
            every_frame(lua, "`@module.function`", "sums.add(i, 1)", calls),
            burst(lua, "`@module.coroutine` in the host's loop", "add_later", calls, own_loop=True),
            burst(lua, "`@module.coroutine` in the world's thread", "add_later", calls, own_loop=False),
            burst(lua, "`@module.blocking`", "add_slowly", calls, own_loop=False),
        ]
        title = f"One call of a host module on {lua}"
        yield compare(f"host/{lua}", title, cases, "`@module.function`", size, unit="call", repeat=3)
        frames = [waiting(lua, "no call waits", 0), waiting(lua, f"{calls} calls wait", calls)]
        yield compare(f"host/{lua}/idle", f"An idle frame on {lua}", frames, "no call waits", size, repeat=200)


if __name__ == "__main__":
    main(tables, __doc__)
