"""Limits: what they cost, as ratios to the same script with `Limits.off()`."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from benchmarks.harness import Case, machine, measure, table
from engine import Limits, World

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
-- A creature: walks, looks for the nearest of a few targets, turns round, tells others now and then.
local creature = {}
local targets = { { 10, 20 }, { 300, 40 }, { 150, 220 }, { 80, 90 } }

local function distance(ax, ay, bx, by)
  local dx, dy = ax - bx, ay - by
  return math.sqrt(dx * dx + dy * dy)
end

local function nearest(x, y)
  local best, least = nil, math.huge
  for _, target in ipairs(targets) do
    local d = distance(x, y, target[1], target[2])
    if d < least then best, least = target, d end
  end
  return best, least
end

function creature:start()
  self.x, self.y, self.vx, self.vy = math.random(300), math.random(200), 1, 1
  while true do
    local dt = wait()
    local target, far = nearest(self.x, self.y)
    if far > 2 then
      self.vx = (target[1] - self.x) / far * 40
      self.vy = (target[2] - self.y) / far * 40
    else
      self.vx, self.vy = -self.vx, -self.vy
      bus.emit("creature.turned", { x = self.x, y = self.y })
    end
    self.x, self.y = self.x + self.vx * dt, self.y + self.vy * dt
    self.frame = math.floor(time.now * 8) % 4
  end
end

return creature
"""


def world_of(source: str, lua: str, limits: Limits | None, entities: int) -> World:
    folder = Path(tempfile.mkdtemp()) / "scripts"
    folder.mkdir()
    (folder / "subject.lua").write_text(source)
    world = World(folder, lua=lua, limits=limits)
    for _ in range(entities):
        world.spawn("subject")
    world.tick(1 / 60)
    assert not world.problems, world.problems[0]
    return world


def pair(source: str, lua: str, entities: int) -> list[Case]:
    cases = []
    for name, limits in (("off", Limits.off()), ("on", None)):
        world = world_of(source, lua, limits, entities)
        cases.append(Case(name, lambda world=world: world.tick(1 / 60), per=entities, close=world.close))
    return cases


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lua", nargs="*", default=["lua55", "lua54"])
    parser.add_argument("--rounds", type=int, default=15)
    options = parser.parse_args()
    print(machine())
    for lua in options.lua:
        for name, body in SCRIPTS.items():
            cases = measure(pair(LOOP.format(body=body), lua, 20), rounds=options.rounds, repeat=5)
            print("\n" + table(f"{name} ({lua})", cases, "off", unit="tick"))
        cases = measure(pair(GAME, lua, ENTITIES), rounds=options.rounds, repeat=20)
        print("\n" + table(f"a typical script of a game ({lua})", cases, "off", unit="tick"))


if __name__ == "__main__":
    main()
