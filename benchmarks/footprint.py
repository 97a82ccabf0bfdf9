"""Memory: what an entity with a state of its own takes, beside a bare runtime with the same script in it.

Each kind is measured in processes of its own: how much the process grew, and what Lua counts after a collection. All
have started and run for a few frames. The floors: the least runtime that moves the entity, the one that keeps what its
script is promised besides, and the least in one state.
"""

from __future__ import annotations

import gc
import importlib
import os
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from benchmarks.contenders import BARE, FLOOR, PLAIN
from benchmarks.harness import Size, main
from benchmarks.newborn import FIELDS, World
from benchmarks.swarm import MOVER
from benchmarks.tables import Row, Table
from benchmarks.worlds import make_world
from engine import Limits

COUNT = 500
FRAMES = 5

COUNTED = "collectgarbage() return collectgarbage('count')"


def bare(lua: str, count: int) -> tuple[float, float]:
    """Bytes that one runtime takes: of the process, and as Lua counts."""
    module = importlib.import_module(f"lupa.{lua}")

    def make() -> tuple[Any, Any]:
        runtime = module.LuaRuntime()
        thread = runtime.eval(PLAIN)(runtime.table(x=0.0, y=0.0, vx=1.0, vy=0.5)).coroutine()
        thread.send(None)
        return runtime, thread

    made = [make()]
    before = resident()
    made += [make() for _ in range(count)]
    for _ in range(FRAMES):
        for _, thread in made:
            thread.send(1 / 60)
    grown = resident() - before
    counted = sum(runtime.execute(COUNTED) for runtime, _ in made)
    return grown / count, counted * 1024 / len(made)


def least(lua: str, count: int) -> tuple[float, float]:
    """A runtime without lupa's helpers, and the coroutine that the floor of the swarm has."""
    module = importlib.import_module(f"lupa.{lua}")

    def make() -> tuple[Any, Any]:
        runtime = module.LuaRuntime(encoding=None, register_eval=False, register_builtins=False)
        send = runtime.eval(FLOOR)(0.0, 0).coroutine().send
        send(None)
        return runtime, send

    made = [make()]
    before = resident()
    made += [make() for _ in range(count)]
    for _ in range(FRAMES):
        for _, send in made:
            send(1 / 60)
    grown = resident() - before
    counted = sum(runtime.execute(COUNTED.encode()) for runtime, _ in made)
    return grown / count, counted * 1024 / len(made)


def grown_by(world: Any, count: int) -> float:
    """Bytes of the process for each of `count` entities that come to one, some frames later."""
    world.spawn("mover", **FIELDS)
    world.tick(1 / 60)
    before = resident()
    for _ in range(count):
        world.spawn("mover", **FIELDS)
    for _ in range(FRAMES):
        world.tick(1 / 60)
    return (resident() - before) / count


def least_prelude(lua: str, count: int) -> tuple[float, float]:
    """A state with what is promised to such a script, and its entity."""
    world = World(lua)
    grown = grown_by(world, count)
    counted = sum(entity.state.vm.execute(COUNTED.encode()) for entity in world.entities.values())
    return grown, counted * 1024 / len(world.entities)


def least_together(lua: str, count: int) -> tuple[float, float]:
    """A table and a coroutine each, in one runtime."""
    runtime = importlib.import_module(f"lupa.{lua}").LuaRuntime()
    alone = runtime.execute(COUNTED)
    before = resident()
    frame = runtime.execute(BARE, count)
    for _ in range(FRAMES):
        frame(1 / 60)
    return (resident() - before) / count, (runtime.execute(COUNTED) - alone) * 1024 / count


def tidelock(lua: str, count: int, **options: Any) -> tuple[float, float]:
    world = make_world({"mover": MOVER}, lua, **options)
    grown = grown_by(world, count)
    actors = {actor for entity in world.entities if (actor := entity.actor) is not None}
    for actor in actors:
        actor.function("memory", "collect")()
    counted = sum(actor.memory for actor in actors)
    world.close()
    return grown, counted / (count + 1)


def without_limits(lua: str, count: int) -> tuple[float, float]:
    return tidelock(lua, count, limits=Limits.off())


def together(lua: str, count: int) -> tuple[float, float]:
    return tidelock(lua, count, isolation="script")


KINDS: dict[str, Callable[[str, int], tuple[float, float]]] = {
    "bare LuaRuntime()": bare,
    "floor: the least runtime": least,
    "floor: the least prelude": least_prelude,
    "Tidelock": tidelock,
    "Tidelock, no limits": without_limits,
    "Tidelock, one state": together,
    "floor: one bare state": least_together,
}


def resident() -> float:
    """Bytes of memory that this process has; elsewhere than on Linux, the most it ever had."""
    gc.collect()
    if Path("/proc/self/statm").exists():
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    import resource

    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024


def tables(size: Size, luas: list[str]) -> Iterator[Table]:
    count = size.count(COUNT)
    for lua in luas:
        grown: dict[str, list[float]] = {kind: [] for kind in KINDS}
        counted: dict[str, list[float]] = {kind: [] for kind in KINDS}
        with ProcessPoolExecutor(1, mp_context=get_context("spawn"), max_tasks_per_child=1) as pool:
            for _ in range(min(size.rounds, 3)):
                for kind, measured in KINDS.items():
                    process, counts = pool.submit(measured, lua, count).result()
                    grown[kind].append(max(process, 1.0))
                    counted[kind].append(counts)
        title = f"Memory of an entity on {lua}"
        for name, what, rows in (("", "", grown), ("/counted", ", as Lua counts", counted)):
            shown = [Row(kind, samples) for kind, samples in rows.items()]
            yield Table(f"footprint/{lua}{name}", title + what, "bare LuaRuntime()", shown, unit="entity", kind="B")


if __name__ == "__main__":
    main(tables, __doc__)
