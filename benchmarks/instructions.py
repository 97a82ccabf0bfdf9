"""Where the work goes, counted: instructions, and misses of a cache of 1 MiB, of one unit of work on lua55.

The figures come from cachegrind, a simulated processor, so no neighbour on the machine can change them. Each case runs
twice in a child process, for few and for many frames; the difference is what the frames between took.
"""

from __future__ import annotations

import argparse
import gc
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

from benchmarks import bus, contenders, frame, least, newborn, own_state, promised, scene, spawn, swarm
from benchmarks.harness import Case
from engine import Limits

LUA = "lua55"
FEW, MANY = 2, 12
LONG = {  # events leave garbage: so many take the collector through all of a state more than once
    "event: plain lupa": 302,
    "event: floor, one call each": 302,
    "event: Tidelock": 842,  # through all of it twice
}
READY = 5 * MANY  # warm states, made for few births too

CASES: dict[str, tuple[int, Callable[[int], Case]]] = {
    "swarm: plain lupa": (300, lambda n: contenders.plain(LUA, n)),
    "swarm: floor, one send each": (300, lambda n: contenders.floor(LUA, n)),
    "swarm: floor, the least task": (300, lambda n: own_state.own_states(LUA, n, swarm.MOVER)),
    "swarm: floor, the least task, with a hook": (
        300,
        lambda n: own_state.own_states(LUA, n, swarm.MOVER, step=swarm.STEP),
    ),
    "swarm: Tidelock, no limits": (300, lambda n: swarm.tidelock(LUA, n, limits=Limits.off())),
    "swarm: Tidelock": (300, lambda n: swarm.tidelock(LUA, n)),
    "one state: floor, a bare Lua loop": (2000, lambda n: contenders.bare(LUA, n)),
    **{
        f"one state: + {words}": (2000, partial(least.least, LUA, steps=number))
        for number, words in enumerate(least.STEPS, 1)
    },
    "one state: Tidelock, positions not read": (2000, lambda n: swarm.tidelock(LUA, n, isolation="script", read=False)),
    "one state: Tidelock": (2000, lambda n: swarm.tidelock(LUA, n, isolation="script")),
    "event: plain lupa": (100, lambda n: bus.plain(LUA, n, once=False)),
    "event: floor, one call each": (100, lambda n: bus.floor(LUA, n)),
    "event: Tidelock": (100, lambda n: bus.tidelock(LUA, n)),
    "spawn: LuaRuntime() and the script": (30, lambda n: spawn.bare(LUA, n, bytecode=False)),
    "spawn: floor, the least prelude": (30, lambda n: newborn.newborn(LUA, n)),
    "spawn: Tidelock": (30, lambda n: spawn.tidelock(LUA, n, "Tidelock")),
    "warm spawn: floor, the least prelude": (5, lambda n: newborn.newborn(LUA, n, warm=READY)),
    **{
        f"warm spawn: + {words}": (5, partial(promised.promised, LUA, steps=number, ready=READY))
        for number, words in enumerate(promised.STEPS, 1)
    },
    "warm spawn: Tidelock": (5, lambda n: spawn.tidelock(LUA, n, "Tidelock", warm=READY)),
    "frame of the demo: floor": (1000, lambda n: frame.floor(LUA, n)),
    **{
        f"frame of the demo: + {words}": (1000, partial(scene.scene, LUA, steps=number))
        for number, words in enumerate(scene.STEPS, 1)
    },
    "frame of the demo: Tidelock": (1000, lambda n: frame.tidelock(LUA, n)[0]),
}
"""By name: how many entities, and what makes the case."""


def play(name: str, frames: int) -> None:
    """Run a case so many times, or once for so many times as many births, so that none of them has a second frame."""
    count, make = CASES[name]
    gc.disable()
    if "spawn" in name:
        case = make(count * frames)
        case.run()
    else:
        case = make(count)
        case.run()
        for _ in range(frames):
            case.run()
    os._exit(0)  # closing would be counted, too


def count(name: str) -> tuple[float, float]:
    """Instructions and misses of one entity in one frame."""
    most = LONG.get(name, MANY)
    few, many = (events(name, frames) for frames in (FEW, most))
    units = (most - FEW) * CASES[name][0]
    return (many["Ir"] - few["Ir"]) / units, (misses(many) - misses(few)) / units


def events(name: str, frames: int) -> dict[str, int]:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "events"
        command = ["valgrind", "--tool=cachegrind", "--cache-sim=yes", "--LL=1048576,16,64"]
        command += [f"--cachegrind-out-file={file}", sys.executable, "-m", "benchmarks.instructions"]
        environment = {**os.environ, "PYTHONHASHSEED": "0"}
        subprocess.run([*command, "--play", name, str(frames)], check=True, capture_output=True, env=environment)
        lines = file.read_text(encoding="utf-8").splitlines()
    names = next(line for line in lines if line.startswith("events:")).split()[1:]
    sums = next(line for line in lines if line.startswith("summary:")).split()[1:]
    return dict(zip(names, map(int, sums), strict=True))


def misses(counted: dict[str, int]) -> int:
    return counted["DLmr"] + counted["DLmw"]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.instructions", description=__doc__)
    parser.add_argument("cases", nargs="*", metavar="CASE", help="; ".join(CASES))
    parser.add_argument("--play", nargs=2, metavar=("CASE", "FRAMES"), help="what the child processes do")
    options = parser.parse_args()
    if options.play:
        play(options.play[0], int(options.play[1]))
    if shutil.which("valgrind") is None:
        print("skipped: there is no valgrind; apt install valgrind")
        return 0
    print("| of one entity, on lua55 | instructions | cache misses |\n|---|---:|---:|")
    for name in options.cases or CASES:
        instructions, missed = count(name)
        print(f"| {name} | {instructions:,.0f} | {missed:,.0f} |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
