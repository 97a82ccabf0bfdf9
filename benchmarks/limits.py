"""Limits: what they cost, as ratios to the same script with `Limits.off()`.

The floors are the same Lua in bare runtimes: alone, with a hook that does nothing, and with one that counts and stops.
No host that can stop a script is faster than the second: Lua itself is slower as soon as a hook is set.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from typing import Any

from benchmarks.harness import Case, Size, compare, main
from benchmarks.tables import Table
from benchmarks.worlds import make_world
from engine import Limits

ENTITIES = 100

SCRIPTS = {
    "a tight loop": "for i = 1, 2000 do n = n + i % 7 end",
    "calls": "for i = 1, 500 do n = n + step(i, n) end",
    "tables": "local t = {} for i = 1, 200 do t[i] = { i } end n = #t",
    "strings": "for i = 1, 50 do local k = ('key' .. i .. ' = value'):match('^(%w+)%s*=') n = n + #k end",
    "pcall": "for i = 1, 100 do pcall(step, i, 1) end",
    "coroutines": "for i = 1, 20 do coroutine.wrap(step)(i, 1) end",
}

LOOP = """
local h = {{}}
local n = 0
local function step(a, b) return (a * 3 + b) % 11 end
function h:update()
  n = 0
  {body}
end
return h
"""

GAME = """
-- A creature: walks to the nearest of a few targets, tells that it is there, and goes on to the next.
local creature = {}
local targets = { { 10, 20 }, { 300, 40 }, { 150, 220 }, { 80, 90 } }

local function distance(ax, ay, bx, by)
  local dx, dy = ax - bx, ay - by
  return math.sqrt(dx * dx + dy * dy)
end

local function nearest(x, y, but)
  local best, least = nil, math.huge
  for _, target in ipairs(targets) do
    local d = distance(x, y, target[1], target[2])
    if d < least and target ~= but then best, least = target, d end
  end
  return best, least
end

function creature:start()
  self.x, self.y, self.vx, self.vy = math.random(300), math.random(200), 1, 1
  local last
  while true do
    local dt = wait()
    local target, far = nearest(self.x, self.y, last)
    if far > 2 then
      self.vx = (target[1] - self.x) / far * 40
      self.vy = (target[2] - self.y) / far * 40
    else
      last, self.vx, self.vy = target, -self.vx, -self.vy
      bus.emit("creature.arrived", { x = self.x, y = self.y })
    end
    self.x, self.y = self.x + self.vx * dt, self.y + self.vy * dt
    self.frame = math.floor(time.now * 8) % 4
  end
end

return creature
"""


STEP = 1000
"""Instructions between two calls of the hook, as in the engine."""

HOOKS = {
    "floor: bare Lua": "nil",
    "floor: a hook that does nothing": "function() end",
    "floor: a hook that counts": """(function()
      local spent = 0
      return function()
        spent = spent + 1000
        if spent > 1e15 then error("stopped") end
      end
    end)()""",
}

FLOOR = """
function(load_script)
  local hook = {hook}
  if hook then -- a thread that a script makes gets it, too
    local create, resume, sethook = coroutine.create, coroutine.resume, debug.sethook
    function coroutine.create(f)
      local thread = create(f)
      sethook(thread, hook, "", {step})
      return thread
    end
    function coroutine.wrap(f)
      local thread = coroutine.create(f)
      return function(...) return select(2, resume(thread, ...)) end
    end
  end
  wait, time, bus = coroutine.yield, {{ now = 0 }}, {{ emit = function() end }}
  local script, self = load_script(), {{}}
  local thread = coroutine.create(function()
    if script.start then script.start(self) end
    while true do script.update(self) wait() end
  end)
  local go = coroutine.resume
  go(thread)
  return function(dt) go(thread, dt) end
end
"""


def floors(source: str, lua: str, count: int) -> Iterator[Case]:
    """The script in bare runtimes, one call into each."""
    module = importlib.import_module(f"lupa.{lua}")
    for name, hook in HOOKS.items():
        runtimes = [module.LuaRuntime() for _ in range(count)]
        calls = [each.eval(FLOOR.format(hook=hook, step=STEP))(each.compile(source)) for each in runtimes]

        def run(calls: list[Any] = calls) -> None:
            for call in calls:
                call(1 / 60)

        yield Case(name, run, per=count)


def pair(source: str, lua: str, entities: int) -> list[Case]:
    cases = []
    for name, limits in (("off", Limits.off()), ("on", Limits())):
        world = make_world({"subject": source}, lua, limits=limits)
        for _ in range(entities):
            world.spawn("subject")
        world.tick(1 / 60)
        cases.append(Case(name, lambda world=world: world.tick(1 / 60), per=entities, close=world.close))
    return cases


def tables(size: Size, luas: list[str]) -> Iterator[Table]:
    for lua in [lua for lua in luas if lua != "luajit21"]:  # which has none
        for name, body in SCRIPTS.items():
            source = LOOP.format(body=body)
            cases = [*floors(source, lua, size.count(20)), *pair(source, lua, size.count(20))]
            yield compare(f"limits/{lua}/{name}", f"Limits: {name} ({lua})", cases, "off", size, unit="tick", repeat=5)
        cases = [*floors(GAME, lua, size.count(ENTITIES)), *pair(GAME, lua, size.count(ENTITIES))]
        yield compare(f"limits/{lua}/game", f"Limits: a script of a game ({lua})", cases, "off", size, unit="tick")


if __name__ == "__main__":
    main(tables, __doc__)
