"""The least that keeps what is promised of a game's entities, one promise after the other, on nothing but lupa.

It plays the demo's scripts as `benchmarks.frame` does, a state each. Each step does what those before it do. Nobody
hears anything, no error is reported, nothing is reloaded: all that an engine does beside is missing.
"""

from __future__ import annotations

import importlib
from heapq import heappop, heappush
from typing import Any

from benchmarks.cast import MIX, SCRIPTS, cast, play
from benchmarks.harness import Case

STEPS = (
    "an environment each, a class, tasks that go on beside each other",
    "a wait() that can be refused, and update in a thread of its own",
    "a hook that counts",
    "what scripts draw and play goes to Python",
    "and the fields that a window shows",
)

STATE = b"""
local steps, map, script, x, y, seed = ...
local create, resume, yield, isyieldable = coroutine.create, coroutine.resume, coroutine.yield, coroutine.isyieldable
local type, next, setmetatable, unpack = type, next, setmetatable, table.unpack or unpack
local SUSPEND, DONE = function() return 1 end, function() return 2 end
local clock, tasks, list, n = { now = 0, dt = 0 }, {}, {}, 0

local function wait(seconds)
  local request = true
  if seconds ~= nil and seconds ~= 0 then
    if steps >= 2 and (type(seconds) ~= "number" or not (seconds >= 0)) then
      error("wait: seconds must be a number >= 0", 2)
    end
    request = clock.now + seconds
  end
  if steps >= 2 and not isyieldable() then
    error("wait: only a task can wait", 2)
  end
  local started = clock.now
  yield(SUSPEND, request)
  return clock.now - started
end

local function thread(fn)
  local made = create(fn)
  if steps >= 3 then
    debug.sethook(made, function() end, "", 1000)
  end
  return made
end

local function go(task, ...)
  local ok, token, request = resume(task.thread, ...)
  task.due = ok and token == SUSPEND and request
  if not ok then
    error(token, 0)
  end
end

local function every(seconds, fn)
  local task, due = {}, clock.now
  task.thread = thread(function()
    while true do
      due = due + seconds
      wait(due - clock.now)
      fn(0)
    end
  end)
  go(task)
  tasks[#tasks + 1] = task
end

local function command(number)
  return function(a, b, c, d)
    if type(a) == "number" or type(a) == "string" and #a <= 64 then
      local last = d ~= nil and 4 or c ~= nil and 3 or b ~= nil and 2 or 1
      list[n + 1], list[n + 2], list[n + 3], list[n + 4], list[n + 5] = number + 32 * last, a, b, c, d
      n = n + 1 + last
    end
  end
end

local nothing = setmetatable({}, { __index = function() return function() end end })
local env = { bus = nothing, entity = nothing, shared = nothing, draw = nothing, sound = nothing, wait = wait,
  task = { every = every }, math = {}, setmetatable = setmetatable, type = type, next = next, pairs = pairs }
for name, value in next, math do
  env.math[name] = value
end
if steps >= 4 then
  env.draw, env.sound = { light = command(15) }, { play = command(4) }
end
math.randomseed(seed)
local library = load(map, "@map", "t", env)()
function env.require() return library end
local made = load(script, "@script", "t", env)()
local self = setmetatable({ x = x, y = y, life = 1e9 }, { __index = made, __metatable = false })
for name, value in next, made.properties or {} do
  if self[name] == nil then self[name] = value end
end
if made.init then made.init(self) end

local names = { "sprite", "frame", "layer", "angle", "scale", "flip", "alpha", "visible", "text", "light", "color" }
local seen = {}
local function look()
  for place = 1, #names do
    local value = self[names[place]]
    if value ~= seen[place] then
      list[n + 1], list[n + 2], seen[place], n = place + 16, value, value, n + 2
    end
  end
end

local function pump()
  local update, beat = made.update, nil
  local now, dt = yield(true)
  if update and steps >= 2 then
    beat = thread(function(dt)
      while true do
        update(self, dt)
        dt = yield(DONE)
      end
    end)
  end
  while true do
    clock.now, clock.dt = now, dt
    local wake = update and true
    for i = 1, #tasks do
      local task = tasks[i]
      local due = task.due
      if due == true or due and due <= now then
        go(task)
        due = task.due
      end
      if due and (not wake or wake ~= true and (due == true or due < wake)) then
        wake = due
      end
    end
    if beat then
      resume(beat, dt)
    elseif update then
      update(self, dt)
    end
    local commands = n
    if steps >= 5 then look() end
    local last = n
    n = 0
    now, dt = yield(wake, self.x, self.y, commands, unpack(list, 1, last))
  end
end

tasks[1] = { thread = thread(made.start) }
go(tasks[1], self)
return pump
"""


def scene(lua: str, count: int, steps: int) -> Case:
    """So many of the steps, from the first on."""
    module = importlib.import_module(f"lupa.{lua}")
    texts = {name: (SCRIPTS / f"{name}.lua").read_bytes() for name in (*MIX, "map")}
    sends = []
    for seed, (name, x, y) in enumerate(cast(count)):
        vm = module.LuaRuntime(encoding=None, register_builtins=False, unpack_returned_tuples=True)
        sends.append(vm.execute(STATE, steps, texts["map"], texts[name], x, y, seed).coroutine().send)
        sends[-1](None)
    places: list[tuple[float, float] | None] = [None] * count
    views: list[dict[int, Any]] = [{} for _ in sends]
    heap: list[tuple[float, int]] = []
    told: list[tuple[Any, ...]] = []
    again, now = list(range(count)), 0.0

    def run(dt: float = 1 / 60) -> None:
        nonlocal again, now
        now += dt
        told.clear()
        awake = again
        while heap and heap[0][0] <= now:
            awake.append(heappop(heap)[1])
        awake.sort()
        again, args = [], (now, dt)
        for number in awake:
            result = sends[number](args)
            wake, x, y, commands = result[:4]
            places[number] = x, y
            if commands:
                told.append(result[4 : 4 + commands])
            for at in range(4 + commands, len(result), 2):
                views[number][result[at]] = result[at + 1]
            if wake is True:
                again.append(number)
            elif wake:
                heappush(heap, (wake, number))

    play(run)
    return Case(STEPS[steps - 1], run, count)
