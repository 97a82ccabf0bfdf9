"""Samples of memory over a long run, and whether they stay where they were."""

from __future__ import annotations

import csv
import ctypes
import mmap
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import fmean
from typing import NamedTuple

ALLOWED = 0.02
"""How far the last tenth may lie above the second, which is the first after the warm-up."""


class Sample(NamedTuple):
    """Bytes that the process has, bytes that Lua counts in the state that stays, and Python's live blocks."""

    spawns: int
    resident: int
    lua: int
    blocks: int


class Sampler:
    """Takes samples; what nobody uses any more is given back before."""

    def __init__(self) -> None:
        self.samples: list[Sample] = []
        self._trim = _trimmer()

    def take(self, spawns: int, lua: int) -> None:
        self._trim(0)
        self.samples.append(Sample(spawns, _resident(), lua, sys.getallocatedblocks()))

    def __str__(self) -> str:
        """How far it is, and the newest sample."""
        last = self.samples[-1]
        return f"{len(self.samples)}: {last.resident / 2**20:.1f} MiB"


def _trimmer() -> Callable[[int], object]:
    """What makes the C library give back what nobody uses; only glibc can be asked to."""
    try:
        trim: Callable[[int], object] = ctypes.CDLL("libc.so.6").malloc_trim
    except (OSError, AttributeError):
        return int
    return trim


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * mmap.PAGESIZE


def tenths(values: Sequence[int]) -> list[float]:
    """The mean of each tenth."""
    size = len(values) // 10
    return [fmean(values[start : start + size]) for start in range(0, size * 10, size)]


def drift(values: Sequence[int]) -> float:
    """How far the last tenth lies above the second."""
    means = tenths(values)
    return means[-1] / means[1] - 1


def columns(samples: list[Sample]) -> dict[str, list[int]]:
    return {
        "resident": [sample.resident for sample in samples],
        "Lua's own count": [sample.lua for sample in samples],
        "Python's live blocks": [sample.blocks for sample in samples],
    }


def is_flat(samples: list[Sample]) -> bool:
    return all(drift(values) <= ALLOWED for values in columns(samples).values())


def table(samples: list[Sample]) -> str:
    """The tenths as text; bytes as MiB, blocks by the thousand."""
    lines = []
    for name, values in columns(samples).items():
        scale, unit = (1000, "thousand") if "blocks" in name else (2**20, "MiB")
        means = " ".join(f"{mean / scale:.2f}" for mean in tenths(values))
        lines.append(f"{name}, {unit}, mean of each tenth: {means}; last against second: {drift(values):+.2%}")
    return "\n".join(lines)


# Files: one holds the samples of several runs, told apart by their names.


def write(file: Path, run: str, samples: list[Sample]) -> None:
    """Put a run's samples into the file, in place of those of an earlier run of that name."""
    runs = {**(read(file) if file.exists() else {}), run: samples}
    with file.open("w", newline="") as out:
        rows = csv.writer(out, lineterminator="\n")
        rows.writerow(("run", *Sample._fields))
        rows.writerows((name, *sample) for name, each in runs.items() for sample in each)


def read(file: Path) -> dict[str, list[Sample]]:
    runs: dict[str, list[Sample]] = {}
    with file.open(newline="") as text:
        rows = csv.reader(text)
        next(rows)
        for name, *numbers in rows:
            runs.setdefault(name, []).append(Sample(*map(int, numbers)))
    return runs


def plot(runs: dict[str, list[Sample]], file: Path) -> None:
    """Draw resident memory and live blocks over the spawns; the axes begin at zero."""
    from matplotlib import rcParams
    from matplotlib.figure import Figure

    rcParams["svg.hashsalt"] = "soak"  # the same picture from the same samples
    rcParams["svg.fonttype"] = "none"
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    left, right = figure.subplots(1, 2)
    for name, samples in runs.items():
        spawns = [sample.spawns / 1e6 for sample in samples]
        left.plot(spawns, [sample.resident / 2**20 for sample in samples], label=name)
        right.plot(spawns, [sample.blocks / 1000 for sample in samples], label=name)
    for axes, title in ((left, "resident memory, MiB"), (right, "live blocks of Python, thousand")):
        axes.set_ylim(0, 1.25 * axes.get_ylim()[1])
        axes.set_xlabel("entities made and destroyed, million")
        axes.set_title(title)
        axes.grid(alpha=0.3)
    left.legend(frameon=False, loc="lower right")
    figure.savefig(file, metadata={"Date": None})
