"""Runs the benchmarks, all or those named, each in a process of its own or in several, and says which aims are met."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks import aims, contenders, plots
from benchmarks.harness import LUAS, SIZES, here, machine
from benchmarks.results import Results, write_pages
from benchmarks.tables import Table

SUITE = (
    "swarm",
    "one_state",
    "growth",
    "sleepers",
    "bus",
    "limits",
    "spawn",
    "footprint",
    "threads",
    "frame",
    "process",
    "host",
)
BY_PLACE = ("swarm", "one_state", "growth", "bus", "spawn", "frame")
"""Their states lie elsewhere in memory in each process, which decides a third of a figure: no round of one shows it."""

ALONE = ("reload", "soak", "instructions")
"""Run only when they are named: they take long, and give reports of their own."""


def run(name: str, size: str, luas: list[str]) -> list[Table]:
    """Run one benchmark of the suite, in as many processes as it needs, and print its tables."""
    processes = SIZES[size].processes if name in BY_PLACE else 1
    given = [run_once(name, size, luas) for _ in range(processes)]
    tables = [Table.of_processes(each) for each in zip(*given, strict=True)]
    for table in tables:
        print(table.markdown(), end="\n\n", flush=True)
    return tables


def run_once(name: str, size: str, luas: list[str]) -> list[Table]:
    """What one process gives."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "tables.json"
        command = [sys.executable, "-m", f"benchmarks.{name}", "--size", size, "--json", str(file), "--lua", *luas]
        subprocess.run(command, check=True)
        return [Table.from_json(table) for table in json.loads(file.read_text(encoding="utf-8"))]


def publish(results: Results) -> None:
    """Draw the plots and bring the figures of the pages up to date."""
    try:
        for file in plots.draw(results.tables):
            print(f"drew {file.name}")
    except ImportError:
        print('no plots: matplotlib is missing; pip install -e ".[bench]"')
    write_pages(results)


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join((*SUITE, *ALONE)))
    parser.add_argument("--lua", nargs="*", default=here(), choices=LUAS)
    parser.add_argument("--quick", action="store_true", help="fewer rounds; keep what all of it gave, as --keep does")
    parser.add_argument("--keep", action="store_true", help="write results.json, the plots and the figures of the docs")
    parser.add_argument("--plots", action="store_true", help="run nothing; draw and write from results.json again")
    options = parser.parse_args()
    unknown = [name for name in options.names if name not in (*SUITE, *ALONE)]
    if unknown:
        parser.error(f"no benchmark {', '.join(unknown)}; there are {', '.join((*SUITE, *ALONE))}")
    if options.keep and options.names:
        parser.error("--keep is for all benchmarks: figures of one run only stand beside each other")
    return options


def main() -> int:
    options = read_options()
    if options.plots:
        publish(Results.load())
        return 0
    started = time.monotonic()
    results = Results("; ".join([machine(), *contenders.versions()]), {})
    print(results.machine, end="\n\n", flush=True)
    failed = [name for name in options.names or SUITE if not measured(name, options, results)]
    print(f"### Aims\n\n{aims.markdown(results.tables)}\n")
    if not options.names:
        print(f"{time.monotonic() - started:.0f} s; by name only: {', '.join(ALONE)}")
        if options.keep or options.quick:
            results.save()
            publish(results)
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


def measured(name: str, options: argparse.Namespace, results: Results) -> bool:
    """Add what one benchmark gives to the results; False where it failed, which does not stop the others."""
    started = time.monotonic()
    try:
        if name in ALONE:
            subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], check=True)
            return True
        for table in run(name, "quick" if options.quick else "full", options.lua):
            results.tables[table.name] = table
    except subprocess.CalledProcessError:
        return False
    print(f"{name}: {time.monotonic() - started:.0f} s\n", flush=True)
    return True


if __name__ == "__main__":
    sys.exit(main())
