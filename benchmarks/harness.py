"""Times cases side by side: interleaved rounds in one process, medians, ratios to a base."""

from __future__ import annotations

import gc
import platform
import statistics
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version


@dataclass
class Case:
    """One contender: `run()` does the work once; `per` is how many units of work that is."""

    name: str
    run: Callable[[], object]
    per: int = 1
    close: Callable[[], object] = lambda: None
    seconds: list[float] = field(default_factory=list)

    @property
    def median(self) -> float:
        """Seconds for one unit of work."""
        return statistics.median(self.seconds) / self.per

    @property
    def spread(self) -> float:
        """How far the quartiles lie apart, as a share of the median."""
        if len(self.seconds) < 4:
            return 0.0
        low, _, high = statistics.quantiles(self.seconds, n=4)
        return (high - low) / statistics.median(self.seconds)


def measure(cases: Iterable[Case], *, rounds: int = 15, repeat: int = 10, warm_up: int = 3) -> list[Case]:
    """Run all cases in turn, `rounds` times; each round times `repeat` runs of a case with the gc off."""
    cases = list(cases)
    for number in range(warm_up + rounds):
        for case in cases:
            gc.collect()
            gc.disable()
            started = time.perf_counter()
            for _ in range(repeat):
                case.run()
            taken = (time.perf_counter() - started) / repeat
            gc.enable()
            if number >= warm_up:
                case.seconds.append(taken)
    for case in cases:
        case.close()
    return cases


def table(title: str, cases: list[Case], base: str, *, unit: str = "") -> str:
    """Markdown: each case's median per unit of work, its ratio to the base, and the noise."""
    reference = next(case for case in cases if case.name == base)
    rows = [
        f"### {title}",
        "",
        f"| | median{unit and ' per ' + unit} | ratio | quartiles |",
        "|---|---:|---:|---:|",
    ]
    for case in cases:
        ratio = case.median / reference.median
        rows.append(f"| {case.name} | {nice(case.median)} | {ratio:.2f} | ±{case.spread * 50:.0f}% |")
    return "\n".join(rows)


def nice(seconds: float) -> str:
    """A time in the unit that suits it."""
    for factor, unit in ((1, "s"), (1e3, "ms"), (1e6, "µs")):
        if seconds * factor >= 1:
            return f"{seconds * factor:.3g} {unit}"
    return f"{seconds * 1e9:.0f} ns"


def machine() -> str:
    """What this ran on, in one line."""
    parts = [f"Python {platform.python_version()}", f"{platform.system()} {platform.machine()}"]
    for package in ("lupa", "pygame", "pygame-ce"):
        try:
            parts.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            continue
    return ", ".join(parts)
