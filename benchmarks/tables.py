"""What a benchmark gives: rows of samples, which peers are missing, and the table that shows them."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any


@dataclass(frozen=True)
class Row:
    """One contender's samples, one of each round, for one unit of work; those of one process after the other."""

    name: str
    samples: list[float]

    @property
    def contender(self) -> str:
        """The name without the build: "mlua" for "mlua, Lua 5.4"."""
        return "mlua" if self.name.startswith("mlua,") else self.name


@dataclass(frozen=True)
class Skipped:
    """A contender that is not installed, and the command that installs it."""

    name: str
    command: str


@dataclass(frozen=True)
class Table:
    """`name` is "benchmark/variant". `kind` says what the samples are: "s", "B" (bytes), or "" for plain numbers.

    `facts` are figures beside the rows, such as how many of the entities were asleep. `processes` is of how many the
    samples are, each with the same number of rounds.
    """

    name: str
    title: str
    base: str
    rows: list[Row]
    unit: str = ""
    kind: str = "s"
    skipped: list[Skipped] = field(default_factory=list)
    facts: dict[str, float] = field(default_factory=dict)
    processes: int = 1

    @classmethod
    def of_processes(cls, tables: Sequence[Table]) -> Table:
        """One table of what each process gave for it."""
        first = tables[0]
        together = zip(*(table.rows for table in tables), strict=True)
        rows = [Row(rows[0].name, [sample for row in rows for sample in row.samples]) for rows in together]
        facts = {name: min(table.facts[name] for table in tables) for name in first.facts}
        return replace(first, rows=rows, facts=facts, processes=len(tables))

    def row(self, name: str) -> Row | None:
        return next((row for row in self.rows if row.name == name), None)

    def ratio(self, one: str, other: str) -> float | None:
        """How many times `other` the row `one` is; `None` where one of them is missing.

        Rounds are interleaved: the ratio of each round, and the median of those, is free of what comes and goes.
        """
        first, second = self.row(one), self.row(other)
        if first is None or second is None:
            return None
        return self._middle([a / b for a, b in zip(first.samples, second.samples, strict=True)])

    def time(self, row: Row) -> float:
        """The base's median, times the row's ratio to it: medians alone may be of processes that are not alike."""
        base, ratio = self.row(self.base), self.ratio(row.name, self.base)
        return self._middle(row.samples) if base is None or ratio is None else self._middle(base.samples) * ratio

    def _middle(self, values: list[float]) -> float:
        """The median of the medians of each process, whose rounds share a place in memory and are no new throw."""
        each = len(values) // self.processes
        return statistics.median(statistics.median(values[at : at + each]) for at in range(0, len(values), each))

    def markdown(self, titled: bool = True) -> str:
        """Each row's time per unit of work, its ratio to the base, and the noise; then who is missing."""
        median = f"median per {self.unit}" if self.unit else "median"
        lines = [f"### {self.title}", ""] if titled else []
        lines += [f"| | {median} | ratio | quartiles |", "|---|---:|---:|---:|"]
        for row in self.rows:
            ratio = self.ratio(row.name, self.base)
            shown = "" if ratio is None else f"{ratio:.2f}"
            quartiles = spread(row.samples) * 50
            lines.append(f"| {row.name} | {nice(self.time(row), self.kind)} | {shown} | ±{quartiles:.0f}% |")
        notes = [f"{name}: {value:g}" for name, value in self.facts.items()]
        notes += [f"{each.name}: skipped; install it with `{each.command}`" for each in self.skipped]
        return "\n".join([*lines, *([""] if notes else []), *[f"- {note}" for note in notes]])

    def as_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "title": self.title,
            "base": self.base,
            "unit": self.unit,
            "kind": self.kind,
            "rows": {row.name: [float(f"{sample:.4g}") for sample in row.samples] for row in self.rows},
            "skipped": {each.name: each.command for each in self.skipped},
            "facts": self.facts,
            "processes": self.processes,
        }

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Table:
        return cls(
            value["name"],
            value["title"],
            value["base"],
            [Row(name, samples) for name, samples in value["rows"].items()],
            unit=value["unit"],
            kind=value["kind"],
            skipped=[Skipped(name, command) for name, command in value["skipped"].items()],
            facts=value["facts"],
            processes=value["processes"],
        )


Tables = dict[str, Table]
"""By name."""


def spread(samples: Sequence[float]) -> float:
    """How far the quartiles lie apart, as a share of the median."""
    if len(samples) < 4:
        return 0.0
    low, _, high = statistics.quantiles(samples, n=4)
    return (high - low) / statistics.median(samples)


def nice(value: float, kind: str = "s") -> str:
    """A value in the unit that suits it."""
    if kind == "B":
        return f"{value / 2**20:.3g} MiB" if value >= 2**20 else f"{value / 2**10:.3g} KiB"
    if kind != "s":
        return f"{value:.3g}"
    for factor, unit in ((1, "s"), (1e3, "ms"), (1e6, "µs")):
        if value * factor >= 1:
            return f"{value * factor:.3g} {unit}"
    return f"{value * 1e9:.0f} ns"
