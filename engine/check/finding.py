"""One mistake that was found, with its place and the way out."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from difflib import get_close_matches

from engine.reading.syntax import Node


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """`level` is "error" or "warning", `rule` the short name of the kind; lines and columns count from 1."""

    script: str
    line: int
    column: int
    level: str
    rule: str
    message: str
    suggestion: str = ""
    width: int = 1


class Report:
    """Collects the findings of one file."""

    def __init__(self, script: str, ignored: frozenset[int] = frozenset()) -> None:
        self.script = script
        self.findings: list[Finding] = []
        self._ignored = ignored

    def error(self, node: Node, rule: str, message: str, suggestion: str = "", *, width: int = 1) -> None:
        self.add(node.line, node.column, "error", rule, message, suggestion, width)

    def warn(self, node: Node, rule: str, message: str, suggestion: str = "", *, width: int = 1) -> None:
        self.add(node.line, node.column, "warning", rule, message, suggestion, width)

    def add(
        self, line: int, column: int, level: str, rule: str, message: str, suggestion: str = "", width: int = 1
    ) -> None:
        if line not in self._ignored:
            self.findings.append(Finding(self.script, line, column, level, rule, message, suggestion, width))


def near(name: str, known: Iterable[str], cutoff: float = 0.6) -> str | None:
    """The known name that is most like `name`."""
    choices = sorted(set(known) - {name})
    found = get_close_matches(name, choices, 1, cutoff) or get_close_matches(name.lower(), choices, 1, cutoff)
    return found[0] if found else None


def did_you_mean(name: str, known: Collection[str], otherwise: str = "", cutoff: float = 0.6) -> str:
    """Also for a name that was cut short: "rand" means random, though "rad" is more like it."""
    longer = [each for each in known if len(name) > 2 and each.startswith(name) and each != name]
    found = min(longer, key=lambda each: (len(each), each)) if longer else near(name, known, cutoff)
    return f'did you mean "{found}"?' if found else otherwise
