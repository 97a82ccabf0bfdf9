"""Sleepers: what a frame costs against how many tasks, or states, are asleep in it. One task is awake throughout.

Beside the tasks of one state stands a scheduler that looks at every sleeper in every frame, as a simple one would; the
floor is a heap of them in bare Lua, of which a frame looks at the first. Then 10,000 states asleep stand beside 10,000
awake; its floor sends into each bare runtime that is awake, and looks at the first of a heap of those that are not.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator

from benchmarks.contenders import floor
from benchmarks.harness import Case, Size, compare, main
from benchmarks.swarm import tidelock
from benchmarks.tables import Table
from benchmarks.worlds import make_world
from engine import Limits

TASKS = """
local sleepers = {}

function sleepers:start()
  for i = 1, self.count do
    task.spawn(wait, 1e6 + i)
  end
  while true do
    wait()
  end
end

return sleepers
"""

SLEEPER = "return { start = function() wait(1e6) end }"

SCAN = """
function(count)
  local sleepers, now = {}, 0
  for i = 1, count do
    sleepers[i] = { due = 1e6 + i, thread = coroutine.create(function() end) }
  end
  local awake = coroutine.wrap(function() while true do coroutine.yield() end end)
  return function()
    now = now + 1 / 60
    for i = 1, #sleepers do
      if sleepers[i].due <= now then
        coroutine.resume(sleepers[i].thread)
      end
    end
    awake()
  end
end
"""

HEAP = """
function(count)
  local heap, now = {}, 0 -- made in the order of their times, they are a heap
  for i = 1, count do
    heap[i] = { due = 1e6 + i, thread = coroutine.create(function() end) }
  end
  local awake = coroutine.wrap(function() while true do coroutine.yield() end end)
  return function()
    now = now + 1 / 60
    local first = heap[1]
    if first and first.due <= now then
      coroutine.resume(first.thread)
    end
    awake()
  end
end
"""

COUNTS = (0, 100, 1_000, 10_000, 100_000)
AWAKE = 10_000


def tasks_asleep(lua: str, count: int) -> Case:
    """One state with `count` sleeping tasks."""
    world = make_world({"sleepers": TASKS}, lua, limits=Limits.off())
    world.spawn("sleepers", count=count)
    return Case("", lambda: world.tick(1 / 60), close=world.close)


def states_asleep(lua: str, count: int) -> Case:
    """`count` states whose only task sleeps, and one that wakes every frame."""
    world = make_world({"sleepers": TASKS, "sleeper": SLEEPER}, lua, limits=Limits.off())
    for _ in range(count):
        world.spawn("sleeper")
    world.spawn("sleepers", count=0)
    return Case("", lambda: world.tick(1 / 60), close=world.close)


def scanned(lua: str, count: int) -> Case:
    """The plain way: every sleeper is looked at in every frame."""
    return Case("", importlib.import_module(f"lupa.{lua}").LuaRuntime().eval(SCAN)(count))


def in_a_heap(lua: str, count: int) -> Case:
    """The least: one look at who is due first."""
    return Case("", importlib.import_module(f"lupa.{lua}").LuaRuntime().eval(HEAP)(count))


def asleep_in_a_heap(lua: str, count: int) -> Case:
    """`count` bare runtimes that nobody wakes, and one send into the one that is awake."""
    module = importlib.import_module(f"lupa.{lua}")
    heap = [(1e6 + i, module.LuaRuntime(encoding=None, register_eval=False)) for i in range(count)]
    awake = floor(lua, 1)
    now = 0.0

    def run() -> None:
        nonlocal now
        now += 1 / 60
        if heap[0][0] > now:
            awake.run()

    return Case("floor: asleep", run)


KINDS: dict[str, tuple[Callable[[str, int], Case], int]] = {
    "tasks of one state": (tasks_asleep, 100_000),
    "states": (states_asleep, 10_000),
    "tasks, each looked at": (scanned, 100_000),
    "floor: a heap of tasks": (in_a_heap, 100_000),
}
"""What is asleep, and the most of it."""


def tables(size: Size, luas: list[str]) -> Iterator[Table]:
    """A table for each kind, its rows named after the counts; then asleep beside awake."""
    for lua in luas[:1]:
        for kind, (make, most) in KINDS.items():
            cases = []
            for usual in (count for count in COUNTS if count <= most):
                case = make(lua, size.count(usual) if usual else 0)
                case.name = f"{usual:,}"
                cases.append(case)
            yield compare(f"sleepers/{kind}", f"A frame, by how many {kind} are asleep, on {lua}", cases, "0", size)
        count = size.count(AWAKE)
        asleep, awake = states_asleep(lua, count), tidelock(lua, count, limits=Limits.off(), name="awake")
        least_asleep, least_awake = asleep_in_a_heap(lua, count), floor(lua, count)
        asleep.name, least_awake.name = "asleep", "floor: awake"
        awake.per = least_awake.per = 1
        cases = [awake, asleep, least_awake, least_asleep]
        title = f"A frame with {count:,} entities with a state each on {lua}, asleep and awake"
        yield compare("sleepers/beside awake", title, cases, "awake", size, repeat=3)


if __name__ == "__main__":
    main(tables, __doc__)
