"""The swarm as others would write it: lupa alone, Python generators, asyncio tasks, one bare Lua loop, mlua, LÖVE."""

from __future__ import annotations

import asyncio
import importlib
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from benchmarks.harness import Case, Timed
from benchmarks.tables import Skipped

PEERS = Path(__file__).parent / "peers"

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

FLOOR = """
function(x, step)
  local self = { x = x, y = 0.0, vx = 1.0, vy = 0.5 }
  return function()
    if step > 0 then debug.sethook(function() end, "", step) end
    local dt = coroutine.yield()
    while true do
      self.x = self.x + self.vx * dt
      self.y = self.y + self.vy * dt
      dt = coroutine.yield(self.x, self.y)
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


CALLS = """
local count = ...
local movers = {}

local function update(self, dt)
  self.x = self.x + self.vx * dt
  self.y = self.y + self.vy * dt
end

for i = 1, count do
  movers[i] = { self = { x = i, y = 0.0, vx = 1.0, vy = 0.5 }, update = update }
end

return function(dt)
  for i = 1, count do
    local mover = movers[i]
    mover.update(mover.self, dt)
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


def floor(lua: str, count: int, *, step: int = 0) -> Case:
    """The floor of a state each: one `send` into each, which moves it and yields where it is.

    With limits it is the same under a hook, called after each `step` instructions, that does nothing.
    """
    module = importlib.import_module(f"lupa.{lua}")
    sends = []
    for i in range(count):
        send = module.LuaRuntime(encoding=None, register_eval=False).eval(FLOOR)(float(i), step).coroutine().send
        send(None)
        sends.append(send)

    def run() -> None:
        for send in sends:
            send(1 / 60)

    return Case("floor: one send each, with a hook" if step else "floor: one send each", run, count)


def bare(lua: str, count: int) -> Case:
    """The floor of one state: a Lua loop that resumes coroutines; nobody looks at the result."""
    frame = importlib.import_module(f"lupa.{lua}").LuaRuntime().execute(BARE, count)
    return Case("floor: a bare Lua loop", lambda: frame(1 / 60), count)


def calls(lua: str, count: int) -> Case:
    """The floor of one state with hooks: a Lua loop that calls a function for each; nobody looks at the result."""
    frame = importlib.import_module(f"lupa.{lua}").LuaRuntime().execute(CALLS, count)
    return Case("floor: a bare loop of calls", lambda: frame(1 / 60), count)


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


def mlua(count: int, mode: str, build: str) -> Case | Skipped:
    """The Rust program with a state "each" or "one" for all; `build` is "lua54" or "luajit"."""
    name = f"mlua, {'Lua 5.4' if build == 'lua54' else 'LuaJIT'}"
    target = PEERS / "mlua" / "target" / ("release" if build == "lua54" else "luajit/release")
    program = target / "swarm"
    if not program.exists():
        return Skipped(name, "cd benchmarks/peers/mlua && cargo build --release" + MLUA_OPTIONS[build])
    return process(name, [str(program), str(count), mode], count)


MLUA_OPTIONS = {"lua54": "", "luajit": " --no-default-features --features luajit --target-dir target/luajit"}


def love(count: int) -> Case | Skipped:
    """LÖVE without a window: coroutines in its one state."""
    program = shutil.which("love")
    if program is None:
        return Skipped("LÖVE", "apt install love")
    return process("LÖVE", [program, str(PEERS / "love"), str(count)], count)


def process(name: str, command: list[str], count: int) -> Timed:
    """A program that answers each number of frames with the seconds that one of them took."""
    child = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, "SDL_VIDEODRIVER": "dummy", "SDL_AUDIODRIVER": "dummy"},
    )
    assert child.stdin is not None and child.stdout is not None
    write, read = child.stdin, child.stdout

    def clock(repeat: int) -> float:
        write.write(f"{repeat}\n")
        write.flush()
        answer = read.readline()
        if not answer:
            raise RuntimeError(f"{name} ended with exit code {child.wait()}: {' '.join(command)}")
        return float(answer)

    def close() -> None:
        write.close()
        child.wait(timeout=10)
        read.close()

    return Timed(name, lambda: clock(1), count, close, clock=clock)


def versions() -> list[str]:
    """What of the peers that are no Python packages is installed, and in which version."""
    found = []
    program = shutil.which("love")
    if program is not None:
        said = subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout.split()
        found.append(f"LÖVE {said[1]}" if len(said) > 1 else "LÖVE")
    lock = PEERS / "mlua" / "Cargo.lock"
    if lock.exists():  # since it was built
        built = re.search(r'name = "mlua"\nversion = "([^"]+)"', lock.read_text(encoding="utf-8"))
        found.append(f"mlua {built[1]}" if built else "mlua")
    return found
