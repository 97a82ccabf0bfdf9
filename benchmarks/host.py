"""Host modules: what a call costs, and what calls that wait cost per frame.

A call that suspends is measured from the script's line to the line after it, the frames in between included: a burst of
a thousand, ticked until all are answered. The floors make the same calls from a bare runtime: lupa calls the function,
or an asyncio task or a thread gives the value with which a coroutine of lupa's goes on.
"""

from __future__ import annotations

import asyncio
import importlib
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

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


FLOOR = """
function(add, calls)
  return function()
    for i = 1, calls do add(i, 1) end
  end
end
"""

FLOOR_WAITING = "function(i) local sum = coroutine.yield(i, 1) return sum end"


def called(lua: str, calls: int) -> Case:
    """The least that calls Python from Lua."""
    run = importlib.import_module(f"lupa.{lua}").LuaRuntime().eval(FLOOR)(lambda a, b: a + b, calls)
    return Case("floor: lupa calls a function", run, calls)


def resumed(lua: str, calls: int, *, pool: ThreadPoolExecutor | None = None) -> Case:
    """The least that answers coroutines: a task of asyncio each, or a job each where there is a pool."""
    make = importlib.import_module(f"lupa.{lua}").LuaRuntime().eval(FLOOR_WAITING).coroutine
    runner = asyncio.Runner()

    def go_on(thread: Any, value: int) -> None:
        with suppress(StopIteration):
            thread.send(value)

    async def answer(thread: Any, a: int, b: int) -> None:
        go_on(thread, a + b)

    async def burst() -> None:
        threads = [make(i) for i in range(calls)]
        await asyncio.gather(*[answer(thread, *thread.send(None)) for thread in threads])

    def jobs() -> None:
        assert pool is not None
        threads = [make(i) for i in range(calls)]
        answers = [pool.submit(int.__add__, *thread.send(None)) for thread in threads]
        for thread, answer in zip(threads, answers, strict=True):
            go_on(thread, answer.result())

    def close() -> None:
        runner.close()
        if pool is not None:
            pool.shutdown()

    if pool is None:
        return Case("floor: an asyncio task each", lambda: runner.run(burst()), calls, close)
    return Case("floor: a job of a pool each", jobs, calls, close)


def tasks_waiting(calls: int) -> Case:
    """The least frame beside calls that wait: one step of an event loop that has so many tasks."""
    runner = asyncio.Runner()

    async def begin() -> list[asyncio.Task[bool]]:
        return [asyncio.create_task(asyncio.Event().wait()) for _ in range(calls)]

    waiting = runner.run(begin())

    def close() -> None:
        waiting.clear()
        runner.close()

    return Case(f"floor: {calls} asyncio tasks wait", lambda: runner.run(asyncio.sleep(0)), 1, close)


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
            called(lua, calls),
            resumed(lua, calls),
            resumed(lua, calls, pool=ThreadPoolExecutor(8)),
        ]
        title = f"One call of a host module on {lua}"
        yield compare(f"host/{lua}", title, cases, "`@module.function`", size, unit="call", repeat=3)
        frames = [waiting(lua, "no call waits", 0), waiting(lua, f"{calls} calls wait", calls)]
        frames.append(tasks_waiting(calls))
        yield compare(f"host/{lua}/idle", f"An idle frame on {lua}", frames, "no call waits", size, repeat=200)


if __name__ == "__main__":
    main(tables, __doc__)
