"""The least that keeps what is promised of an entity in a state of its own that waits and moves, on nothing but lupa.

An environment, `wait` and `time` of its own, and a task that Python resumes once per frame and that yields where the
entity is, where that is numbers. All that an engine does beside is missing, and so is all that may happen else.
"""

from __future__ import annotations

import importlib

from benchmarks.harness import Case

LEAST = """
local text, x, step = ...
local yield, isyieldable, tonumber, error = coroutine.yield, coroutine.isyieldable, tonumber, error
local count, clock = 0, { now = 0.0, dt = 0.0, frame = 0 }
local self = setmetatable({ x = x, y = 0.0, vx = 1.0, vy = 0.5 }, { __index = {} })

local function wait(seconds)
  if seconds ~= nil or not isyieldable() then error("it does something else") end
  local clock = clock
  local started, x, y = clock.now, self.x, self.y
  local now, dt, frame, phase
  if x and y and tonumber(x) == x and tonumber(y) == y then
    now, dt, frame, phase = yield(x, y)
  else
    now, dt, frame, phase = yield(true)
  end
  if phase < 0 then error("it does something else") end
  clock.now, clock.dt, clock.frame = now, dt, frame
  return now - started
end

local env = { wait = wait, time = setmetatable({}, { __index = clock, __metatable = false }) }
for i = 1, 24 do env["name" .. i] = i end
local start = load(text, "@mover.lua", "t", env)().start

return function()
  if step > 0 then debug.sethook(function() count = count + step end, "", step) end
  start(self)
end
"""


class _Entity:
    __slots__ = ("position",)

    def __init__(self) -> None:
        self.position: tuple[float, float] | None = None


def own_states(lua: str, count: int, script: str, *, step: int = 0) -> Case:
    """So many states, each with an entity of `script`; with `step` a hook counts each so many instructions."""
    module = importlib.import_module(f"lupa.{lua}")
    sends, entities = [], [_Entity() for _ in range(count)]
    for i in range(count):
        runtime = module.LuaRuntime(encoding=None, register_eval=False, register_builtins=False)
        sends.append(runtime.execute(LEAST, script.encode(), float(i), step).coroutine().send)
        sends[-1](None)
    frame = 0

    def run() -> None:
        nonlocal frame
        frame += 1
        args = (frame / 60, 1 / 60, frame, 1)
        for entity, place in zip(entities, [send(args) for send in sends], strict=True):
            if type(place) is tuple:
                entity.position = place
        for entity in entities:
            entity.position  # noqa: B018

    return Case("floor: the least task, with a hook" if step else "floor: the least task", run, count)
