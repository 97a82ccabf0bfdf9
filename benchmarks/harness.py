"""Times cases side by side: interleaved rounds in one process, medians, ratios to a base."""

from __future__ import annotations

import argparse
import gc
import json
import os
import platform
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

from benchmarks.tables import Row, Skipped, Table, spread

LUAS = ("lua55", "lua54", "luajit21")


@dataclass(frozen=True)
class Size:
    """How much is measured: `rounds` of each case, and the shares of the usual numbers of entities and repetitions.

    `processes` is in how many `python -m benchmarks` measures what depends on where in memory all lies.
    """

    name: str
    rounds: int
    processes: int = 1
    share: float = 1.0

    def count(self, usual: int) -> int:
        """So many entities."""
        return max(int(usual * self.share), 4)

    def repeat(self, usual: int) -> int:
        """So many runs of a case in a round."""
        return max(int(usual * self.share), 1)


SIZES = {size.name: size for size in (Size("tiny", 1, share=0.003), Size("quick", 5, 5), Size("full", 15, 9))}
"""`tiny` shows that a benchmark works, and measures nothing."""


@dataclass
class Case:
    """One contender: `run()` does the work once; `per` is how many units of work that is; `after()` is not timed.

    `repeat` is how often it runs in a round, where that is not what all do.
    """

    name: str
    run: Callable[[], object]
    per: int = 1
    close: Callable[[], object] = lambda: None
    after: Callable[[], object] | None = None
    repeat: int | None = None
    seconds: list[float] = field(default_factory=list)

    def time(self, repeat: int) -> float:
        """Seconds of one run: the mean of `repeat`."""
        taken = 0.0
        for _ in range(repeat):
            started = time.perf_counter()
            self.run()
            taken += time.perf_counter() - started
            if self.after is not None:
                self.after()
        return taken / repeat

    @property
    def row(self) -> Row:
        """The rounds, in seconds for one unit of work."""
        return Row(self.name, [seconds / self.per for seconds in self.seconds])


@dataclass
class Timed(Case):
    """A contender in a process of its own, which times itself: `clock(repeat)` gives the seconds of one run."""

    clock: Callable[[int], float] = lambda repeat: 0.0

    def time(self, repeat: int) -> float:
        return self.clock(repeat)


def measure(cases: Iterable[Case], *, rounds: int = 15, repeat: int = 10, warm_up: int = 1) -> list[Case]:
    """Run all cases in turn, `rounds` times; each round times `repeat` runs of a case with the gc off.

    A run that is not timed comes before them: the case before has left the processor's caches full of its own. What was
    there before the rounds is none of the collector's business: to look at it again and again took most of the time.
    """
    cases = list(cases)
    gc.collect()
    gc.freeze()
    try:
        for number in range(warm_up + rounds):
            for case in cases:
                gc.collect()
                gc.disable()
                case.time(1)
                taken = case.time(case.repeat or repeat)
                gc.enable()
                if number >= warm_up:
                    case.seconds.append(taken)
    finally:
        gc.enable()
        gc.unfreeze()
        for case in cases:
            case.close()
    return cases


def compare(
    name: str,
    title: str,
    contenders: Iterable[Case | Skipped],
    base: str,
    size: Size,
    *,
    unit: str = "",
    repeat: int = 10,
) -> Table:
    """Measure the contenders that are there; those that are not stay in the table with how to get them."""
    contenders = list(contenders)
    cases = measure(
        [each for each in contenders if isinstance(each, Case)], rounds=size.rounds, repeat=size.repeat(repeat)
    )
    skipped = [each for each in contenders if isinstance(each, Skipped)]
    return Table(name, title, base, [case.row for case in cases], unit=unit, skipped=skipped)


def here() -> list[str]:
    """The versions of Lua that this machine's lupa has."""
    return [lua for lua in LUAS if find_spec(f"lupa.{lua}") is not None]


def machine() -> str:
    """What this runs on: the machine, the versions, and how restless it is."""
    parts = [f"Python {platform.python_version()}", f"{platform.system()} {platform.machine()}"]
    for package in ("lupa", "pygame", "pygame-ce", "blinker"):
        try:
            parts.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            continue
    return f"{processor()}; {', '.join(parts)}; noise: quartiles of a fixed loop ±{noise() * 50:.0f}%"


def processor() -> str:
    """Its name and how many there are."""
    name = platform.processor() or platform.machine()
    about = Path("/proc/cpuinfo")
    if about.exists():
        for line in about.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                name = line.partition(":")[2].strip()
                break
    return f"{os.cpu_count()} processors, {name}"


def noise() -> float:
    """How far the quartiles of the times of one fixed piece of work lie apart, as a share of their median."""

    def work() -> float:
        started = time.perf_counter()
        sum(range(200_000))
        return time.perf_counter() - started

    return spread([work() for _ in range(30)])


def main(tables: Callable[[Size, list[str]], Iterator[Table]], about: str | None) -> None:
    """The command line of one benchmark: print its tables, or write them for `python -m benchmarks`."""
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--size", choices=SIZES, default="full")
    parser.add_argument("--lua", nargs="*", default=here(), choices=LUAS)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the tables there instead")
    options = parser.parse_args()
    if options.json is None:
        print(machine(), end="\n\n")
    made = []
    for table in tables(SIZES[options.size], options.lua):
        if options.json is None:
            print(table.markdown(), end="\n\n", flush=True)
        made.append(table.as_json())
    if options.json is not None:
        options.json.write_text(json.dumps(made), encoding="utf-8")
