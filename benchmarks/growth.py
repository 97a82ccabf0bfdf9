"""What one entity costs in a frame, by how many there are: in states of their own, in one state, and lupa alone.

All wake in every frame and move. A state costs more where the states no longer fit the processor's caches.
"""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.contenders import floor, plain
from benchmarks.harness import Case, Size, compare, main
from benchmarks.swarm import tidelock
from benchmarks.tables import Table

COUNTS = (100, 300, 1_000, 3_000, 10_000)
KINDS = ("Tidelock, a state each", "Tidelock, one state", "plain lupa", "floor: one send each")


def contender(kind: str, lua: str, count: int) -> Case:
    match kind:
        case "Tidelock, a state each":
            return tidelock(lua, count)
        case "Tidelock, one state":
            return tidelock(lua, count, isolation="script")
        case "plain lupa":
            return plain(lua, count)
        case _:
            return floor(lua, count)


def tables(size: Size, luas: list[str]) -> Iterator[Table]:
    """A table for each kind, its rows named after the counts."""
    for lua in luas[:1]:
        for kind in KINDS:
            cases = []
            for usual in COUNTS:
                case = contender(kind, lua, size.count(usual))
                case.name, case.repeat = f"{usual:,}", size.repeat(max(COUNTS[-1] // usual // 2, 2))
                cases.append(case)
            title = f"{kind}: the cost of an entity, by how many there are, on {lua}"
            yield compare(f"growth/{kind}", title, cases, "100", size, unit="entity and frame", repeat=2)


if __name__ == "__main__":
    main(tables, __doc__)
