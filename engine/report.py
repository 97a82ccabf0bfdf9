"""A problem as a few rows of text, the same over the game and in the terminal."""

from __future__ import annotations

import re
from typing import NamedTuple, Protocol

# Where an error message names the culprit in its line.
_CULPRITS = (
    re.compile(r"(?:global|local|upvalue|field|method|constant) '([^']+)'"),
    re.compile(r"near '([^']+)'"),
    re.compile(r'there is no hook "(\w+)"'),
    re.compile(r"^([a-z_]+(?:\.[a-z_]+)*): "),
)


LONGEST_ROW = 200
"""Letters of a line that are shown."""

# What a terminal obeys instead of showing it; tab and newline are welcome.
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


class Problem(Protocol):
    """What a report needs of a problem."""

    @property
    def message(self) -> str: ...

    @property
    def script(self) -> str | None: ...

    @property
    def line(self) -> int | None: ...

    @property
    def count(self) -> int: ...

    @property
    def source(self) -> str:
        """The line that failed, as it was; "" where it is not known."""

    @property
    def outcome(self) -> str:
        """What became of the entity; "" where there is nothing to say."""


class Report(NamedTuple):
    """The rows of a problem; those that are not known are "". `mark` is where in `source` the culprit stands."""

    place: str
    times: str
    message: str
    number: str
    source: str
    mark: tuple[int, int] | None
    outcome: str


def report(problem: Problem) -> Report:
    """What to tell about `problem`."""
    place = problem.script or "the game"
    place += f":{problem.line}" if problem.line else ""
    message = shown(problem.message.removeprefix(f"{place}: "))
    source = shown(problem.source.strip().replace("\t", " "))
    mark = culprit(source, message) if source else None
    if len(source) > LONGEST_ROW:
        source = f"{source[:LONGEST_ROW]}…"
        mark = mark if mark and sum(mark) <= LONGEST_ROW else None
    return Report(
        place=place,
        times=f"×{problem.count}" if problem.count > 1 else "",
        message=message,
        number=str(problem.line) if source else "",
        source=source,
        mark=mark,
        outcome=problem.outcome,
    )


def plain(problem: Problem) -> str:
    """The report as text, for a log."""
    told = report(problem)
    rows = [f"{told.place}: {told.message}"]
    if told.source:
        rows.append(f"    {told.number}  {told.source}")
        if told.mark:
            start, length = told.mark
            rows.append(" " * (6 + len(told.number) + start) + "^" * length)
    if told.outcome:
        rows.append(f"    {told.outcome}")
    return "\n".join(rows)


def shown(text: str) -> str:
    """`text` from a script for a terminal: what would move the cursor or change colours is written out (`\\x1b`)."""
    return _CONTROLS.sub(lambda found: f"\\x{ord(found[0]):02x}", text)


def culprit(source: str, message: str) -> tuple[int, int] | None:
    """Start and length of what `message` complains about in its line; `None` unless it stands there exactly once."""
    if "near <eof>" in message or "near '<eof>'" in message:
        return len(source), 1
    for pattern in _CULPRITS:
        named = pattern.search(message)
        if named:
            places = _places(source, named[1])
            return (places[0], len(named[1])) if len(places) == 1 else None
    return None


def _places(source: str, word: str) -> list[int]:
    before = r"(?<!\w)" if word[0].isalnum() or word[0] == "_" else ""
    after = r"(?!\w)" if word[-1].isalnum() or word[-1] == "_" else ""
    return [found.start() for found in re.finditer(before + re.escape(word) + after, source)]
