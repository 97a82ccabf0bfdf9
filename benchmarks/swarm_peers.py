"""The swarm as others would write it: lupa alone, Python generators, asyncio tasks, one bare Lua loop, mlua."""

from __future__ import annotations

import asyncio
import importlib
import subprocess
from collections.abc import Iterator
from pathlib import Path

from benchmarks.harness import Case

MLUA = Path(__file__).parent / "peers" / "mlua"

PLAIN = """
function(entity)
  return function()
    while true do
      local dt = coroutine.yield()
      entity.x = entity.x + entity.vx * dt
      entity.y = entity.y + entity.vy * dt
    end
  end
end
"""

BARE = """
local count = ...
local resume, yield = coroutine.resume, coroutine.yield
local time, threads = { dt = 0 }, {}

for i = 1, count do
  local self = { x = i, y = 0.0, vx = 1.0, vy = 0.5 }
  threads[i] = coroutine.create(function()
    while true do
      self.x = self.x + self.vx * time.dt
      self.y = self.y + self.vy * time.dt
      yield()
    end
  end)
end

return function(dt)
  time.dt = dt
  for i = 1, count do
    resume(threads[i])
  end
end
"""


class Mover:
    """What moves, in Python."""

    def __init__(self, x: float) -> None:
        self.x, self.y, self.vx, self.vy = x, 0.0, 1.0, 0.5

    def step(self, dt: float) -> None:
        self.x += self.vx * dt
        self.y += self.vy * dt


def plain(lua: str, count: int) -> Case:
    """A runtime and a lupa coroutine for each entity, its position read from Python."""
    module = importlib.import_module(f"lupa.{lua}")
    entities = []
    for i in range(count):
        runtime = module.LuaRuntime()
        entity = runtime.table(x=float(i), y=0.0, vx=1.0, vy=0.5)
        coroutine = runtime.eval(PLAIN)(entity).coroutine()
        coroutine.send(None)
        entities.append((coroutine, entity))

    def run() -> None:
        for coroutine, entity in entities:
            coroutine.send(1 / 60)
            entity["x"], entity["y"]

    return Case("plain lupa", run, count)


def bare(lua: str, count: int) -> Case:
    """The floor of one state: a Lua loop that resumes coroutines; nobody looks at the result."""
    frame = importlib.import_module(f"lupa.{lua}").LuaRuntime().execute(BARE, count)
    return Case("bare Lua loop, one state", lambda: frame(1 / 60), count)


def generators(count: int) -> Case:
    def script(mover: Mover) -> Iterator[None]:
        while True:
            mover.step(1 / 60)
            yield

    running = [script(Mover(float(i))) for i in range(count)]

    def run() -> None:
        for generator in running:
            next(generator)

    return Case("Python generators", run, count)


def tasks(count: int) -> Case:
    """An asyncio task each, waiting for the next frame with `sleep(0)`."""
    loop = asyncio.new_event_loop()

    async def script(mover: Mover) -> None:
        while True:
            mover.step(1 / 60)
            await asyncio.sleep(0)

    running = [loop.create_task(script(Mover(float(i)))) for i in range(count)]

    def close() -> None:
        for task in running:
            task.cancel()
        loop.run_until_complete(asyncio.gather(*running, return_exceptions=True))
        loop.close()

    return Case("asyncio tasks", lambda: loop.run_until_complete(asyncio.sleep(0)), count, close)


def mlua(count: int, mode: str, frames: int = 300) -> str:
    """The median of the Rust program for "each" or "one" state, or how to build it."""
    program = MLUA / "target" / "release" / "swarm"
    if not program.exists():
        return (
            f"skipped; build it with: cargo build --release --manifest-path {MLUA.relative_to(Path.cwd())}/Cargo.toml"
        )
    done = subprocess.run([program, str(count), str(frames), mode], capture_output=True, text=True, check=True)
    return f"{float(done.stdout):.0f} ns per entity and frame"
