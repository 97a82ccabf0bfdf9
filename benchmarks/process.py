"""Child processes: what a tick of an entity costs there, beside the same entity in the game's own process."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.harness import Case, Size, compare, main
from benchmarks.tables import Table
from benchmarks.worlds import make_world

WALKER = """
local walker = {}
function walker:start()
  self.x, self.y = 0, entity.id
  while true do wait() self.x = self.x + 1 end
end
return walker
"""

WORKER = WALKER.replace("self.x = self.x + 1", "for i = 1, 20000 do self.x = (self.x + i) % 97 end")

WORKERS = 8


def ticks(name: str, lua: str, isolation: str, scripts: dict[str, str], count: int) -> Case:
    """A world in which `count` entities, of each script in turn, do something in every frame."""
    world = make_world(scripts, lua, isolation=isolation)
    for number in range(count):
        world.spawn([*scripts][number % len(scripts)])
    world.tick(1 / 60)
    return Case(name, lambda: world.tick(1 / 60), per=count, close=world.close)


def walking(lua: str, count: int) -> list[Case]:
    kinds = {"in the game": "entity", "in a process": "process"}
    return [ticks(name, lua, isolation, {"walker": WALKER}, count) for name, isolation in kinds.items()]


def computing(lua: str) -> list[Case]:
    one, two = {"worker": WORKER}, {"worker": WORKER, "other": WORKER}
    return [
        ticks("in the game", lua, "entity", one, WORKERS),
        ticks("in a process", lua, "process", one, WORKERS),
        ticks("in two processes", lua, "process", two, WORKERS),
    ]


def tables(size: Size, luas: list[str]) -> Iterator[Table]:
    unit = "entity and frame"
    for lua in luas:
        for count in (1, 10, 100):
            title = f"{count} walking, in a process ({lua})"
            cases = walking(lua, min(count, size.count(count)))
            yield compare(f"process/{lua}/{count}", title, cases, "in the game", size, unit=unit, repeat=50)
        title = f"{WORKERS} computing, in processes ({lua})"
        yield compare(f"process/{lua}/computing", title, computing(lua), "in the game", size, unit=unit, repeat=5)


if __name__ == "__main__":
    main(tables, __doc__)
