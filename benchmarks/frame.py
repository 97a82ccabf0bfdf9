"""A frame of a game: 1,000 entities of the demo's scripts, of which about 70% are asleep in any frame.

Beside it the least that plays the same scripts: a lupa runtime each, a heap of wake times in Python, nothing drawn or
heard.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from heapq import heappop, heappush
from typing import Any

from benchmarks.cast import MIX, SCRIPTS, cast, play
from benchmarks.harness import Case, Size, compare, main
from benchmarks.scene import STEPS, scene
from benchmarks.tables import Table
from benchmarks.worlds import make_world
from engine import World

COUNT = 1000

STUB = """
function(map, script, x, y, seed)
  local nothing = setmetatable({}, { __index = function() return function() end end })
  bus, sound, draw, entity, task, shared = nothing, nothing, nothing, nothing, nothing, nothing
  wait = coroutine.yield
  math.randomseed(seed)
  local library = load(map)()
  function require() return library end
  local made = load(script)()
  local self = setmetatable({ x = x, y = y, life = 1e9 }, { __index = made })
  for name, value in pairs(made.properties or {}) do
    if self[name] == nil then self[name] = value end
  end
  if made.init then made.init(self) end
  local go, update = coroutine.wrap(made.start), made.update
  return go(self) or 0, function(dt)
    return go(dt) or 0, self.x, self.y
  end, update and function(dt) update(self, dt) end
end
"""


def tidelock(lua: str, count: int, **options: Any) -> tuple[Case, World]:
    texts = {file.stem: file.read_text(encoding="utf-8") for file in SCRIPTS.glob("*.lua")}
    world = make_world(texts, lua, seed=5, **options)
    for name, x, y in cast(count):
        more = {"life": 1e9} if name == "wisp" else {}
        world.spawn(name, x=x, y=y, **more)
    play(world.tick)

    def run() -> None:
        world.tick(1 / 60)
        for entity in world.entities:
            entity.position  # noqa: B018 - a window reads it every frame

    return Case("Tidelock", run, close=world.close), world


def floor(lua: str, count: int) -> Case:
    module = importlib.import_module(f"lupa.{lua}")
    texts = {name: (SCRIPTS / f"{name}.lua").read_text(encoding="utf-8") for name in (*MIX, "map")}
    heap: list[tuple[float, int, Any]] = []
    updates = []
    for number, (name, x, y) in enumerate(cast(count)):
        first, resume, update = module.LuaRuntime(unpack_returned_tuples=True).eval(STUB)(
            texts["map"], texts[name], x, y, number
        )
        heappush(heap, (first, number, resume))
        if update is not None:
            updates.append(update)
    now = 0.0

    def run(dt: float = 1 / 60) -> None:
        nonlocal now
        now += dt
        woken = []
        while heap and heap[0][0] <= now:
            woken.append(heappop(heap))
        for _, number, resume in woken:
            seconds, _, _ = resume(dt)
            heappush(heap, (now + seconds, number, resume))
        for update in updates:
            update(dt)

    play(run)
    return Case("floor: a runtime each and a heap", run)


def asleep(world: World, frames: int = 60) -> float:
    """Which share of the entities nothing wakes in a frame."""
    tick, woken = world.loop.tick, 0

    def counting(actors: Any) -> Any:
        nonlocal woken
        woken += len(actors)
        return tick(actors)

    world.loop.tick = counting
    for _ in range(frames):
        world.tick(1 / 60)
    world.loop.tick = tick
    return 1 - woken / frames / len(world.entities)


def tables(size: Size, luas: list[str]) -> Iterator[Table]:
    count = size.count(COUNT)
    for lua in luas:
        case, world = tidelock(lua, count)
        share = asleep(world)
        together, _ = tidelock(lua, count, isolation="script")
        together.name = "Tidelock, one state for a script"
        title = f"A frame of {count:,} entities of the demo's scripts on {lua}"
        least = floor(lua, count)
        kept = Case("floor: and what scripts are promised", scene(lua, count, len(STEPS)).run, 1)
        table = compare(f"frame/{lua}", title, [least, kept, case, together], least.name, size, repeat=30)
        table.facts["asleep"] = round(share, 2)
        yield table


if __name__ == "__main__":
    main(tables, __doc__)
