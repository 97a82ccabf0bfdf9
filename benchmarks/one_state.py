"""The same swarm in one state: 10,000 entities of one script with `isolation="script"`.

The floor is a Lua loop that resumes coroutines and does nothing else; LÖVE does the same in LuaJIT, without limits,
events or an environment for each entity. Nobody looks at what those do, while the position of each of Tidelock's
entities is read in every frame, except in the row that says so. The second floor keeps what is promised of entities in
one state, and tells Python where all are. The second table has the commonest script, one with just an `update`: there
the floor is a loop that calls functions.
"""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.contenders import bare, calls, generators, love, mlua, tasks
from benchmarks.harness import Size, compare, main
from benchmarks.least import promised
from benchmarks.swarm import UPDATER, tidelock
from benchmarks.tables import Table
from engine import Limits

COUNT = 10_000
BARE, CALLS = "floor: a bare Lua loop", "floor: a bare loop of calls"


def tables(size: Size, luas: list[str]) -> Iterator[Table]:
    count = size.count(COUNT)
    for lua in luas:
        contenders = [
            bare(lua, count),
            promised(lua, count),
            mlua(count, "one", "luajit" if lua == "luajit21" else "lua54"),
            love(count),
            generators(count),
            tasks(count),
            tidelock(lua, count, isolation="script"),
            tidelock(lua, count, isolation="script", read=False, name="Tidelock, positions not read"),
        ]
        if lua != "luajit21":  # which has none
            off = Limits.off()
            contenders.append(tidelock(lua, count, isolation="script", limits=off, name="Tidelock, no limits"))
        title = f"{count:,} entities in one state on {lua}, waking every frame and moving"
        yield compare(f"one_state/{lua}", title, contenders, BARE, size, unit="entity and frame", repeat=3)
        updated = [
            calls(lua, count),
            tidelock(lua, count, isolation="script", script=UPDATER, name="Tidelock, update()"),
            tidelock(
                lua,
                count,
                isolation="script",
                script=UPDATER,
                read=False,
                name="Tidelock, update(), positions not read",
            ),
        ]
        title = f"{count:,} entities in one state on {lua}, moved by update()"
        yield compare(f"one_state_update/{lua}", title, updated, CALLS, size, unit="entity and frame", repeat=3)


if __name__ == "__main__":
    main(tables, __doc__)
