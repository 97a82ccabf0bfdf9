"""The results of one run as a file, and the pages that quote them.

A page quotes figures between `<!-- figures: ... -->` and `<!-- /figures -->`: "aims", "machine", "table NAME" or
"ratios BENCHMARK", which has a column for each version of Lua.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

from benchmarks import aims
from benchmarks.harness import LUAS
from benchmarks.tables import Table, Tables

ROOT = Path(__file__).parent.parent
RESULTS = Path(__file__).parent / "results.json"
PAGES = (ROOT / "README.md", ROOT / "benchmarks" / "README.md", ROOT / "docs" / "performance.md")

MISSING = "Not measured in this run."

_BLOCK = re.compile(r"(<!-- figures: (?P<what>.*?) -->\n).*?(<!-- /figures -->)", re.DOTALL)


@dataclass(frozen=True)
class Results:
    """One run: where it was, and its tables by name."""

    machine: str
    tables: Tables

    def save(self, file: Path = RESULTS) -> None:
        made = {"machine": self.machine, "tables": [table.as_json() for table in self.tables.values()]}
        lines = json.dumps(made, indent=1, ensure_ascii=False)
        file.write_text(_short(lines) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, file: Path = RESULTS) -> Results:
        value = json.loads(file.read_text(encoding="utf-8"))
        tables = [Table.from_json(table) for table in value["tables"]]
        return cls(value["machine"], {table.name: table for table in tables})

    def quoted(self, page: str) -> str:
        """The text of a page with its figures as they are here."""
        return _BLOCK.sub(lambda found: f"{found[1]}{self.figures(found['what'])}\n{found[3]}", page)

    def figures(self, what: str) -> str:
        kind, _, name = what.partition(" ")
        if kind == "aims":
            return aims.markdown(self.tables)
        if kind == "machine":
            return self.machine
        names = [f"{name}/{lua}" for lua in LUAS] if kind == "ratios" else [name]
        found = [self.tables[each] for each in names if each in self.tables]
        if kind not in ("table", "ratios"):
            raise ValueError(f'no figures "{what}"; there are aims, machine, table NAME and ratios BENCHMARK')
        if not found:
            return MISSING
        return ratios(found) if kind == "ratios" else found[0].markdown(titled=False)


def write_pages(results: Results) -> None:
    """Bring the figures on all pages up to date."""
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        page.write_text(results.quoted(text), encoding="utf-8")


def ratios(tables: list[Table]) -> str:
    """The same benchmark on several versions of Lua: each contender's ratio to the base."""
    found = [{row.contender: table.ratio(row.name, table.base) for row in table.rows} for table in tables]
    versions = [table.name.partition("/")[2] for table in tables]
    lines = ["| | " + " | ".join(versions) + " |", "|---|" + "---:|" * len(tables)]
    for name in dict.fromkeys(name for column in found for name in column):
        cells = [f"{ratio:.2f}" if (ratio := column.get(name)) is not None else "" for column in found]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _short(text: str) -> str:
    """JSON with each list of numbers in one line."""
    return re.sub(r"\[\s+([-\d.e,+\s]+?)\s+\]", lambda found: "[" + re.sub(r"\s+", " ", found[1]) + "]", text)
