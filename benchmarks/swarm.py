"""A swarm: N entities, each waking every frame in `wait()` and moving.

Beside Tidelock stands the plain way: what a user writes with lupa alone, a runtime and a lupa coroutine for each
entity, and its position read from Python. The others of `swarm_peers` stand beside it too.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from benchmarks.harness import Case, machine, measure, table
from benchmarks.swarm_peers import bare, generators, mlua, plain, tasks
from engine import Limits, World

SCRIPT = """
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


def tidelock(lua: str, count: int, *, isolation: str = "entity", limits: Limits | None = None) -> Case:
    folder = Path(tempfile.mkdtemp())
    (folder / "mover.lua").write_text(SCRIPT)
    world = World(folder, lua=lua, isolation=isolation, limits=limits, strict=True)
    entities = [world.spawn("mover", x=float(i), y=0.0, vx=1.0, vy=0.5) for i in range(count)]
    world.tick(1 / 60)

    def run() -> None:
        world.tick(1 / 60)
        for entity in entities:
            entity.position  # noqa: B018 - a window reads it every frame

    note = "" if limits is None else ", no limits"
    return Case(f"tidelock{note}" if isolation == "entity" else f"tidelock, one state{note}", run, count, world.close)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--lua", nargs="*", default=["lua55", "lua54", "luajit21"])
    options = parser.parse_args()
    print(machine(), end="\n\n")
    for lua in options.lua:
        cases = [plain(lua, options.count), bare(lua, options.count), generators(options.count), tasks(options.count)]
        cases.append(tidelock(lua, options.count))
        cases.append(tidelock(lua, options.count, limits=Limits.off()))
        cases.append(tidelock(lua, options.count, isolation="script"))
        title = f"{options.count} entities on {lua}, each waking every frame and moving"
        print(table(title, measure(cases), "plain lupa", unit="entity and frame"), end="\n\n")
    for mode, what in (("each", "a state each"), ("one", "one state")):
        print(f"mlua (Rust, Lua 5.4), {what}: {mlua(options.count, mode)}")


if __name__ == "__main__":
    main()
