"""How the command line speaks: results on stdout, complaints on stderr."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from io import TextIOWrapper
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from engine.check.finding import Finding
from engine.problems import Problem
from engine.report import LONGEST_ROW, report, shown


def out() -> Console:
    return Console(highlight=False, soft_wrap=True)


def err() -> Console:
    return Console(stderr=True, highlight=False, soft_wrap=True)


def flush() -> None:
    """Let what was said be seen now; a process may have no stdout."""
    if sys.stdout is not None:
        sys.stdout.flush()


def lenient() -> None:
    """A sign that the terminal or the file has no code for is written out: what scripts print must end no game."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def quiet() -> None:
    """The commands show problems and log lines themselves."""
    for name in ("tidelock", "tidelock.script"):
        logger = logging.getLogger(name)
        logger.addHandler(logging.NullHandler())
        logger.propagate = False


@contextmanager
def prints_shown() -> Iterator[None]:
    """What scripts print and log, and what the window complains of, stands in the terminal meanwhile."""
    loggers, shown = [logging.getLogger("tidelock.script"), logging.getLogger("tidelock.app")], _Shown(logging.INFO)
    for logger in loggers:
        logger.addHandler(shown)
        logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        for logger in loggers:
            logger.removeHandler(shown)
            logger.setLevel(logging.NOTSET)


class _Shown(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        style = {logging.WARNING: "yellow", logging.ERROR: "red"}.get(record.levelno, "")
        say(record.getMessage(), style)
        flush()


def complain(message: str) -> None:
    """One line about what is wrong with what the user asked for."""
    err().print(Text.assemble(("error: ", "bold red"), shown(message)))


def say(message: str, style: str = "") -> None:
    out().print(Text(shown(message), style))


def as_json(value: Any) -> None:
    print(json.dumps(value, indent=2, ensure_ascii=False))


def show_finding(finding: Finding, folder: Path) -> None:
    """Place, message, the line itself with a mark under the culprit, the suggestion."""
    colour = "bold red" if finding.level == "error" else "bold yellow"
    place = f"{finding.script}:{finding.line}:{finding.column}: "
    console = out()
    console.print(
        Text.assemble(
            (shown(place), "bold"),
            (f"{finding.level}: ", colour),
            shown(finding.message),
            (f" [{finding.rule}]", "dim"),
        )
    )
    row, before = _around(_row(folder / finding.script, finding.line), finding.column - 1)
    suggestion = shown(finding.suggestion)
    if row.strip():
        margin = "    " + "".join(sign if sign == "\t" else " " for sign in shown(row[:before]))
        console.print(Text(f"    {shown(row)}", "dim"))
        console.print(Text.assemble((margin + "^" * max(1, finding.width), colour), (f" {suggestion}", "green")))
    elif suggestion:
        console.print(Text(f"    {suggestion}", "green"))


def findings_as_data(findings: Sequence[Finding]) -> list[dict[str, Any]]:
    return [asdict(finding) for finding in findings]


def show_problem(problem: Problem) -> None:
    """A script error of a running game: what stands over the game, and the stack of the script."""
    told = report(problem)
    console = err()
    times = f" {told.times}" if told.times else ""
    console.print(Text.assemble((f"{told.place}: ", "bold"), (told.message, "red"), (times, "dim")))
    if told.source:
        number = f"{told.number:>5}  "
        console.print(Text.assemble((number, "dim"), (told.source, "yellow")))
        if told.mark:
            console.print(Text(" " * (len(number) + told.mark[0]) + "^" * told.mark[1], "bold red"))
    if told.outcome:
        console.print(Text(f"    {told.outcome}", "dim"))
    for row in shown(problem.traceback).splitlines():
        if row.strip() and row.strip() != "stack traceback:":
            console.print(Text(f"    {row.strip()}", "dim"))


def _around(row: str, at: int) -> tuple[str, int]:
    """A row, of a long one what is near to place `at`, and where that is then: some libraries are one row."""
    if len(row) <= LONGEST_ROW:
        return row, at
    start = max(0, min(at, len(row)) - LONGEST_ROW // 2)
    left, right = "…" if start else "", "…" if start + LONGEST_ROW < len(row) else ""
    return left + row[start : start + LONGEST_ROW] + right, at - start + len(left)


def _row(file: Path, line: int) -> str:
    try:
        rows = file.read_text(encoding="utf-8", errors="replace").split("\n")
    except OSError:
        return ""
    return rows[line - 1].rstrip("\r") if 0 < line <= len(rows) else ""
