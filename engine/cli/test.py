"""`tidelock test`."""

from __future__ import annotations

import time
from pathlib import Path

from rich.text import Text

from engine.cli.console import complain, err, flush, out, prints_shown, say, show_problem
from engine.errors import ScriptError
from engine.project import Project
from engine.testing.lua_tests import LuaTest, LuaTests, Outcome

NO_TESTS = 5  # as pytest says it


def test_game(folder: Path, *, only: str, lua: str | None) -> int:
    """Run all tests and show what failed; 0 where all went well."""
    project = Project(folder)
    tests = LuaTests(project, lua)
    started = time.perf_counter()
    found, broken = _collect(tests, only)
    outcomes = [_run(tests, test) for test in found]
    if not outcomes and not broken:
        complain(
            f"there are no tests{f' with {only!r}' if only else ''}: write tests/NAME.lua, see tidelock test --help"
        )
        return NO_TESTS
    failed = [outcome for outcome in outcomes if outcome.problem]
    for outcome in failed:
        if outcome.problem is not None:
            err().print(Text.assemble("\n", ("FAILED ", "bold red"), (_name(outcome.test), "bold")))
            show_problem(outcome.problem)
    played = sum(outcome.played for outcome in outcomes)
    words = f"{len(outcomes) - len(failed)} passed" + (f", {len(failed)} failed" if failed else "")
    words += f", {broken} broken" if broken else ""
    real = time.perf_counter() - started
    say(f"{words}: {played:.0f} s of game time in {real:.1f} s", "bold red" if failed or broken else "bold green")
    return 1 if failed or broken else 0


def _collect(tests: LuaTests, only: str) -> tuple[list[LuaTest], int]:
    """All tests that are asked for, and how many files do not load."""
    found: list[LuaTest] = []
    broken = 0
    for file in tests.files():
        try:
            found += [test for test in tests.collect(file) if only in _name(test)]
        except ScriptError as error:
            broken += 1
            complain(str(error))
    return found, broken


def _run(tests: LuaTests, test: LuaTest) -> Outcome:
    with prints_shown():
        outcome = tests.run(test)
    word, style = ("FAILED", "red") if outcome.problem else ("ok", "green")
    out().print(Text.assemble((f"{word:<7}", style), _name(test)))
    flush()
    return outcome


def _name(test: LuaTest) -> str:
    return f"{test.file.stem}: {test.name}"
