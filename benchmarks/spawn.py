"""Spawning: an entity with a state of its own, from `world.spawn` to the end of the frame in which it starts.

Beside it a bare `LuaRuntime()` that loads the same script from its text and runs it to its first yield; the floor loads
it as bytecode. A batch is made in each round, and ended outside of the time, with the frame that carries out what those
deaths bring about. "Warm" states are made outside of it, too; their floors are a runtime that was made before and only
starts its script, a warm state with the least prelude, and one that keeps what an entity is promised.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from typing import Any

from benchmarks.harness import Case, Size, compare, main
from benchmarks.least_prelude import COMPILE
from benchmarks.newborn import FIELDS, newborn
from benchmarks.promised import promised
from benchmarks.swarm import MOVER
from benchmarks.tables import Table
from benchmarks.worlds import make_world
from engine import Entity

BATCH = 50
OTHERS = 1000

START = """
function(load_script)
  local self = { x = 1.0, y = 0.0, vx = 1.0, vy = 0.5 }
  time, wait = { dt = 0 }, coroutine.yield
  local mover = load_script()
  local thread = coroutine.create(mover.start)
  coroutine.resume(thread, self)
  return thread
end
"""

STARTED = "floor: a start in a runtime made before"


def bare(lua: str, count: int, *, bytecode: bool) -> Case:
    """Runtimes with the script in them, as one makes them with lupa alone."""
    module = importlib.import_module(f"lupa.{lua}")
    dumped = module.LuaRuntime(encoding=None).eval(COMPILE)(MOVER.encode())
    made: list[Any] = []

    def one() -> None:
        if bytecode:
            runtime = module.LuaRuntime(encoding=None, register_eval=False, register_builtins=False)
            made.append((runtime, runtime.eval(START)(runtime.compile(dumped, mode="b"))))
        else:
            runtime = module.LuaRuntime()
            made.append((runtime, runtime.eval(START)(runtime.compile(MOVER))))

    def run() -> None:
        for _ in range(count):
            one()

    name = "floor: LuaRuntime() and bytecode" if bytecode else "LuaRuntime() and the script"
    return Case(name, run, count, after=made.clear)


def started(lua: str, count: int) -> Case:
    """Runtimes that have the script already, and only start it."""
    module = importlib.import_module(f"lupa.{lua}")
    ready: list[Any] = []

    def prepare() -> None:
        ready.clear()
        for _ in range(count):
            runtime = module.LuaRuntime(encoding=None)
            ready.append((runtime.eval(START), runtime.compile(MOVER)))

    def run() -> None:
        for start, script in ready:
            start(script)

    prepare()
    return Case(STARTED, run, count, after=prepare)


def tidelock(lua: str, count: int, name: str, others: int = 1, *, warm: int = 0, **options: Any) -> Case:
    """`count` entities and the frame in which they start, in a world that has `others`."""
    world = make_world({"mover": MOVER}, lua, **options)
    for _ in range(others):
        world.spawn("mover", **FIELDS)
    world.tick(1 / 60)
    made: list[Entity] = []

    def warm_up() -> None:
        if warm:
            world.warm(warm, "mover")

    def run() -> None:
        for _ in range(count):
            made.append(world.spawn("mover", **FIELDS))
        world.tick(1 / 60)

    def after() -> None:
        while made:
            made.pop().destroy()
        world.tick(1 / 60)
        warm_up()

    warm_up()
    return Case(name, run, count, world.close, after)


def tables(size: Size, luas: list[str]) -> Iterator[Table]:
    count = size.count(BATCH)
    for lua in luas:
        contenders = [
            bare(lua, count, bytecode=False),
            bare(lua, count, bytecode=True),
            started(lua, count),
            newborn(lua, count),
            newborn(lua, count, warm=count),
            promised(lua, count),
            tidelock(lua, count, "Tidelock"),
            tidelock(lua, count, "Tidelock, warm", warm=count),
            tidelock(lua, count, "Tidelock, in a child process", isolation="process"),
            tidelock(lua, count, "Tidelock, one state", isolation="script"),
            tidelock(lua, count, "Tidelock, one state with 1,000 in it", others=size.count(OTHERS), isolation="script"),
        ]
        title = f"Spawning an entity on {lua}, its first frame included"
        yield compare(f"spawn/{lua}", title, contenders, "LuaRuntime() and the script", size, unit="entity", repeat=1)


if __name__ == "__main__":
    main(tables, __doc__)
