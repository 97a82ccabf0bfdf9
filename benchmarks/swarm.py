"""A swarm: 1,000 entities in states of their own, each waking every frame in `wait()` and moving.

Beside Tidelock stands the plain way: what a user writes with lupa alone, a runtime and a lupa coroutine for each
entity, and its position read from Python. The floor sends once into each state and gets the position back; the least
task keeps what is promised to such a script besides, and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.contenders import floor, generators, mlua, plain, tasks
from benchmarks.harness import Case, Size, compare, main
from benchmarks.own_state import own_states
from benchmarks.tables import Table
from benchmarks.worlds import make_world
from engine import Limits

COUNT = 1000
STEP = 1000

MOVER = """
local mover = {}

function mover:start()
  while true do
    self.x = self.x + self.vx * time.dt
    self.y = self.y + self.vy * time.dt
    wait()
  end
end

return mover
"""


UPDATER = """
local mover = {}

function mover:update(dt)
  self.x = self.x + self.vx * dt
  self.y = self.y + self.vy * dt
end

return mover
"""


def tidelock(
    lua: str,
    count: int,
    *,
    isolation: str = "entity",
    limits: Limits | None = None,
    script: str = MOVER,
    read: bool = True,
    name: str = "",
) -> Case:
    """The swarm in a world; the position of each is read in every frame, as a window would, unless `read` says no."""
    world = make_world({"mover": script}, lua, isolation=isolation, limits=limits)
    fields = [{"x": float(i), "y": 0.0, "vx": 1.0, "vy": 0.5} for i in range(count)]
    entities = [world.spawn("mover", **each) for each in fields]
    world.tick(1 / 60)

    def run() -> None:
        world.tick(1 / 60)
        for entity in entities:
            entity.position  # noqa: B018

    return Case(name or "Tidelock", run if read else lambda: world.tick(1 / 60), count, world.close)


def limited(lua: str, count: int) -> list[Case]:
    """The floors under a hook, called after each so many instructions."""
    return [floor(lua, count, step=STEP), own_states(lua, count, MOVER, step=STEP)]


def tables(size: Size, luas: list[str]) -> Iterator[Table]:
    count = size.count(COUNT)
    for lua in luas:
        contenders = [
            plain(lua, count),
            floor(lua, count),
            own_states(lua, count, MOVER),
            *(limited(lua, count) if lua != "luajit21" else []),  # which has no limits
            mlua(count, "each", "luajit" if lua == "luajit21" else "lua54"),
            generators(count),
            tasks(count),
            tidelock(lua, count),
            tidelock(lua, count, limits=Limits.off(), name="Tidelock, no limits"),
            tidelock(lua, count, isolation="process", name="Tidelock, in a child process"),
        ]
        title = f"{count:,} entities with a state each on {lua}, waking every frame and moving"
        yield compare(f"swarm/{lua}", title, contenders, "plain lupa", size, unit="entity and frame")


if __name__ == "__main__":
    main(tables, __doc__)
