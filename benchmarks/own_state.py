"""The least that keeps what is promised of an entity in a state of its own that waits and moves, on nothing but lupa.

An environment, `wait` and `time` of its own, a task on its own thread, a pump that Python sends to once per frame
and that yields where the entity is, if that changed and is numbers. All that an engine does beside is missing.
"""

from __future__ import annotations

import importlib

from benchmarks.harness import Case

LEAST = """
local text, x, step = ...
local resume, yield, isyieldable, tonumber = coroutine.resume, coroutine.yield, coroutine.isyieldable, tonumber
local error, sethook, count = error, debug.sethook, 0
local clock, SUSPEND = { now = 0.0, dt = 0.0, frame = 0 }, function() end

local function wait(seconds)
  local request = true
  if seconds ~= nil and seconds ~= 0 then request = clock.now + seconds end
  if not isyieldable() then error("a C function is in the way") end
  local started = clock.now
  local refused = yield(SUSPEND, request)
  if refused then error("refused") end
  return clock.now - started
end

local env = { wait = wait, time = setmetatable({}, { __index = clock, __metatable = false }) }
for i = 1, 24 do env["name" .. i] = i end
local self = setmetatable({ x = x, y = 0.0, vx = 1.0, vy = 0.5 }, { __index = {} })
local thread = coroutine.create(load(text, "@mover.lua", "t", env)().start)
if step > 0 then sethook(thread, function() count = count + step end, "", step) end

return function()
  local clock, resume, yield, tonumber, SUSPEND, self, x, y = clock, resume, yield, tonumber, SUSPEND, self, nil, nil
  local phase
  resume(thread, self)
  clock.now, clock.dt, clock.frame, phase = yield(true)
  while true do
    local ok, token, request = resume(thread)
    if request ~= true or token ~= SUSPEND or not ok or phase < 0 then error("it does something else") end
    local to_x, to_y = self.x, self.y
    if to_x == x and to_y == y then
      clock.now, clock.dt, clock.frame, phase = yield(true)
    elseif tonumber(to_x) == to_x and tonumber(to_y) == to_y then
      x, y = to_x, to_y
      clock.now, clock.dt, clock.frame, phase = yield(x, y)
    end
  end
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

    return Case("floor: the least pump, with a hook" if step else "floor: the least pump", run, count)
