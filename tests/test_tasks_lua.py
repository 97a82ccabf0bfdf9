"""Runs the files in tests/lua/task: one behaviour of tasks each, told by what the script prints and when.

A file is an ordinary script, run as an entity of a world in frames of a quarter of a second. Its last comment is what
must be heard, no more and no less: `--> FRAME | text` for a printed line (frame 0 is before the first tick), with
`!` before the text of a problem and `@` for the file; several values stand with a space between them, and 2.0 as 2,
which is how LuaJIT writes it. `-- row: C1` names rows, `-- on: lua54 lua55` the versions that it holds on.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

FOLDER = Path(__file__).parent / "lua" / "task"
DT = 0.25
SILENCE = 6
"""Frames after the last line in which nothing more may be heard."""

HEARD = re.compile(r"^--> (?P<frame>\d+) \| (?P<text>.*)$", re.MULTILINE)
WHOLE = re.compile(r"\b(\d+)\.0\b")
WORDS = re.compile(r"^-- (?P<word>row|on): (?P<values>.+)$", re.MULTILINE)


class Line(NamedTuple):
    frame: int
    text: str


def words_of(text: str, word: str) -> list[str]:
    return [value for found, values in WORDS.findall(text) if found == word for value in values.split()]


def behaviour(file: Path):
    rows = words_of(file.read_text(encoding="utf-8"), "row")
    return pytest.param(file, id=file.stem, marks=[pytest.mark.row(*rows)] if rows else [])


@pytest.mark.parametrize("file", [behaviour(file) for file in sorted(FOLDER.glob("*.lua"))])
def test_a_behaviour_is_heard_as_its_file_says(file, make_world, scripts, lua):
    text = file.read_text(encoding="utf-8")
    versions = words_of(text, "on")
    if versions and lua not in versions:
        pytest.skip(f"holds on {' and '.join(versions)}")
    expected = [Line(int(frame), line) for frame, line in HEARD.findall(text)]
    scripts.write(file.stem, text)
    world = make_world()

    heard = list(listen(world, file.stem, frames=expected[-1].frame + SILENCE))

    assert [f"{line.frame} | {line.text}" for line in heard] == [f"{line.frame} | {line.text}" for line in expected]


def test_every_file_says_what_must_be_heard():
    silent = [file.name for file in FOLDER.glob("*.lua") if not HEARD.search(file.read_text(encoding="utf-8"))]

    assert silent == []


def listen(world, script: str, frames: int) -> Iterator[Line]:
    """What the script prints and what goes wrong, frame by frame."""

    def plain(text: str) -> str:
        return WHOLE.sub(r"\1", text.replace("\t", " ")).replace(f"scripts/{script}.lua", "@")

    problems: list[str] = []
    world.on_problem(lambda problem: problems.append(f"! {problem}"))
    world.spawn(script)
    for frame in range(frames + 1):
        if frame > 0:
            world.tick(DT)
        yield from (Line(frame, plain(line.text)) for line in world.log)
        yield from (Line(frame, plain(problem)) for problem in problems)
        world.log.clear()
        problems.clear()
