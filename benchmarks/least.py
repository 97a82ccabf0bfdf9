"""The least that keeps what is promised of entities in one state, one promise after the other, on nothing but lupa.

Each step does what those before it do. No error is reported, nothing sleeps longer than a frame, nobody spawns, cancels
or hears anything: all that an engine does beside is missing.
"""

from __future__ import annotations

import importlib
from dataclasses import replace
from typing import Any

from benchmarks.harness import Case

STEPS = (
    "an environment each",
    "a wait() that can be refused and says what passed",
    "a hook that counts",
    "what waits again, in order",
    "who has moved",
    "and Python is told",
)

LEAST = """
local count, steps = ...
local resume, yield, isyieldable = coroutine.resume, coroutine.yield, coroutine.isyieldable
local unpack, type = table.unpack or unpack, type
local clock, scheduler, SUSPEND = { now = 0, dt = 0 }, {}, function() end

local function wait(seconds)
  local request = true
  if seconds ~= nil and seconds ~= 0 then error("not here") end
  if not isyieldable() then error("a C function is in the way") end
  local started = clock.now
  local refused = yield(SUSPEND, request)
  if refused then error("refused") end
  return clock.now - started
end

local base, proxy = { wait = steps >= 2 and wait or yield }, { __index = clock }
for i = 1, 24 do base["name" .. i] = i end
local text = (setfenv and "" or "local _ENV = ... ") .. [[return function(self)
  while true do
    self.x = self.x + self.vx * time.dt
    self.y = self.y + self.vy * time.dt
    wait()
  end
end]]
local make = load(text, "@mover.lua", "t", {})

local function start_in(env)
  local fn = setfenv and setfenv(make, env)() or make(env)
  return setfenv and setfenv(fn, env) or fn
end

local threads, tasks, selves, xs, ys, moved = {}, {}, {}, {}, {}, {}
for i = 1, count do
  local env, self = { time = setmetatable({}, proxy) }, { x = i, y = 0.0, vx = 1.0, vy = 0.5 }
  for name, value in next, base do env[name] = value end
  threads[i], tasks[i], selves[i], xs[i], ys[i] = coroutine.create(start_in(env)), { self = self }, self, self.x, self.y
  if steps >= 3 and not jit then debug.sethook(threads[i], function() end, "", 1000000) end
  resume(threads[i], setmetatable(self, { __index = {} }))
end

local function run(first, last)
  for i = first, last do
    scheduler.current = tasks[i]
    local ok, token, request = resume(threads[i])
    if request ~= true or token ~= SUSPEND or scheduler.stirred then error("it does something else") end
  end
end

local function look(first, last, n)
  for i = first, last do
    local self = selves[i]
    local x, y = self.x, self.y
    if (x ~= xs[i] or y ~= ys[i]) and type(x) == "number" and type(y) == "number" then
      n = n + 1
      xs[i], ys[i], moved[n] = x, y, i
    end
  end
  return n
end

local function frame(dt)
  clock.now, clock.dt = clock.now + dt, dt
  if steps < 4 then
    for i = 1, count do resume(threads[i]) end
    return
  end
  local n = 0
  for first = 1, count, 16 do
    local last = first + 15 < count and first + 15 or count
    run(first, last)
    n = steps >= 5 and look(first, last, n) or n
  end
end

return frame, function(all, from, to) return unpack(all and xs or ys, from, to) end
"""

_PART = 4000  # values that LuaJIT gives back at once


def least(lua: str, count: int, steps: int) -> Case:
    """So many of the steps, from the first on."""
    module = importlib.import_module(f"lupa.{lua}")
    frame, part = module.LuaRuntime(unpack_returned_tuples=True).execute(LEAST, count, steps)
    sheet: list[Any] = [None] * (2 * count)

    def run() -> None:
        frame(1 / 60)
        if steps == len(STEPS):
            for place in (0, 1):
                told: list[Any] = []
                for start in range(1, count + 1, _PART):
                    told += part(place == 0, start, min(start + _PART - 1, count))
                sheet[place::2] = told

    return Case(STEPS[steps - 1], run, count)


def promised(lua: str, count: int) -> Case:
    """All of the steps."""
    return replace(least(lua, count, len(STEPS)), name="floor: what is promised")
