"""The floor of a reload: bare runtimes that hand their data over at one frame boundary, with nothing of an engine.

Each entity has a runtime with its script's functions and a table that notes who listens and what is due. In one frame
all give their data, one call each; in the next their successors, which were loaded long before, take it, run `start`
and tick. Nobody checks, limits, names or counts anything. What the two frames take is shared evenly between them.
"""

from __future__ import annotations

import gc
import importlib
import statistics
import time
from collections.abc import Callable
from typing import Any, NamedTuple

DT = 1 / 60

STATE = b"""
local self, listeners, timers, now = {}, {}, {}, 0
local bus = { on = function(name, fn) listeners[#listeners + 1] = { name = name, fn = fn } end }
local task = {
  every = function(seconds, fn) timers[#timers + 1] = { due = now + seconds, every = seconds, fn = fn } end,
}
local script = load([[
local bus, task = ...
local mover = {}
function mover:start()
  self.color = "#ff0000"
  bus.on("alarm", function() self.hp = self.hp - 1 end)
  task.every(1, function() self.vx = -self.vx end)
end
function mover:update(dt)
  self.x = self.x + self.vx * dt
  self.y = self.y + self.vy * dt
end
return mover]])(bus, task)

local function take()
  return self.x, self.y, self.vx, self.vy, self.speed, self.hp, self.color
end

local function start(x, y, vx, vy, speed, hp, color)
  self.x, self.y, self.vx, self.vy, self.speed, self.hp, self.color = x, y, vx, vy, speed, hp, color
  script.start(self)
  return listeners[1].name, timers[1].due
end

local function body()
  local dt = coroutine.yield()
  while true do
    script.update(self, dt)
    now = now + dt
    local first = timers[1]
    if first and first.due <= now then
      first.due = first.due + first.every
      first.fn()
    end
    dt = coroutine.yield(self.x, self.y)
  end
end

return take, start, body
"""


class State(NamedTuple):
    """A bare runtime, and the ways into it."""

    runtime: Any
    take: Any
    start: Any
    send: Any


class Floor(NamedTuple):
    """Seconds: each of the two frames around the swap, and the median frame before."""

    longest: float
    median: float


def measure(lua: str, count: int, rounds: int) -> Floor:
    """The medians over so many swaps of `count` states."""
    olds = _made(lua, count)
    for number, state in enumerate(olds):
        state.start(float(number), 0.0, number % 7 - 3, number % 5 - 2, 60, 10, b"#ff0000")
    usual = [_timed(lambda: _tick(olds)) for _ in range(30)]
    longest = []
    for _ in range(rounds):
        news = _made(lua, count)
        gc.collect()
        for _ in range(3):
            _tick(olds)
        data: list[tuple[Any, ...]] = []

        def give(olds: list[State] = olds, data: list[tuple[Any, ...]] = data) -> None:
            _tick(olds)
            data += [state.take() for state in olds]

        def swap(news: list[State] = news, data: list[tuple[Any, ...]] = data) -> None:
            for state, values in zip(news, data, strict=True):
                state.start(*values)
            _tick(news)

        longest.append((_timed(give) + _timed(swap)) / 2)
        olds = news
    return Floor(statistics.median(longest), statistics.median(usual))


def _made(lua: str, count: int) -> list[State]:
    module = importlib.import_module(f"lupa.{lua}")
    made = []
    for _ in range(count):
        runtime = module.LuaRuntime(encoding=None, register_eval=False, unpack_returned_tuples=True)
        take, start, body = runtime.execute(STATE)
        send = body.coroutine().send
        send(None)
        made.append(State(runtime, take, start, send))
    return made


def _tick(states: list[State]) -> None:
    for state in states:
        state.send(DT)


def _timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
