"""Threads: a world with `workers=2` beside the same world with one, with 50 µs of Lua in each of 1,000 states.

The floor splits bare runtimes over two threads. The digest of both worlds has to be the same.
"""

from __future__ import annotations

import importlib
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from benchmarks.harness import Case, Size, compare, main
from benchmarks.tables import Table
from benchmarks.worlds import make_world
from engine import World

COUNT = 1000
SECONDS = 50e-6

BODY = """
local function work(n, seed)
  local sum = seed
  for i = 1, n do
    sum = (sum * 3 + i) % 1000003
  end
  return sum
end
"""

SCRIPT = (
    BODY
    + """
local worker = {}

function worker:start()
  while true do
    self.x = work(self.n, self.x)
    wait()
  end
end

return worker
"""
)


def steps(lua: str) -> int:
    """How long the loop has to be to take `SECONDS` on this machine: the best of a few tries."""
    work = importlib.import_module(f"lupa.{lua}").LuaRuntime().execute(BODY + "return work")
    work(10_000, 1)
    taken = []
    for _ in range(20):
        started = time.perf_counter()
        work(10_000, 1)
        taken.append(time.perf_counter() - started)
    return max(int(10_000 * SECONDS / min(taken)), 10)


def tidelock(lua: str, count: int, n: int, workers: int) -> tuple[Case, World]:
    world = make_world({"worker": SCRIPT}, lua, workers=workers)
    for i in range(count):
        world.spawn("worker", n=n, x=i, y=0)
    name = "Tidelock, workers=2" if workers else "Tidelock"
    return Case(name, lambda: world.tick(1 / 60), per=count), world


def bare(lua: str, count: int, n: int, pool: ThreadPoolExecutor | None) -> Case:
    """Runtimes alone, one after the other or half of them on another thread."""
    module = importlib.import_module(f"lupa.{lua}")
    calls = [module.LuaRuntime().execute(BODY + "return work") for _ in range(count)]

    def part(some: list[Any]) -> None:
        for call in some:
            call(n, 1)

    def split() -> None:
        assert pool is not None
        other = pool.submit(part, calls[::2])
        part(calls[1::2])
        other.result()

    if pool is None:
        return Case("floor: bare runtimes", lambda: part(calls), count)
    return Case("floor: bare runtimes on two threads", split, count)


def tables(size: Size, luas: list[str]) -> Iterator[Table]:
    count = size.count(COUNT)
    for lua in luas[:1]:
        n = steps(lua)
        one, first = tidelock(lua, count, n, 0)
        two, second = tidelock(lua, count, n, 2)
        with ThreadPoolExecutor(1) as pool:
            cases = [one, two, bare(lua, count, n, None), bare(lua, count, n, pool)]
            title = f"{count:,} entities with 50 µs of Lua each on {lua}"
            table = compare(f"threads/{lua}", title, cases, "Tidelock", size, unit="entity and frame", repeat=1)
        table.facts["same digest"] = first.stats().digest == second.stats().digest
        first.close()
        second.close()
        yield table


if __name__ == "__main__":
    main(tables, __doc__)
