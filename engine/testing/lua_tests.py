"""Tests written in Lua: each runs in a world of its own, as a task of an entity, on a simulated clock."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from engine.errors import ScriptError
from engine.host.module import HostModule
from engine.problems import Problem
from engine.project import Project, ProjectError
from engine.scripts import Source, bare_text
from engine.testing.game_world import GameWorld
from engine.testing.sim import Sim, fields_of

TIMEOUT = 10_000.0
"""Seconds of game time that one test may take."""
REAL_TIMEOUT = 20.0

_TEST = re.compile(r"""^\s*test\s*\(?\s*(["'])(?P<name>.*?)\1""", re.MULTILINE)
_ENTITY = "tidelock-test"


@dataclass(frozen=True, slots=True)
class LuaTest:
    """One `test "name" (function() ... end)`. `number` counts from 1 within its file."""

    file: Path
    number: int
    name: str
    line: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """`problem` is what went wrong, None where nothing did. `seconds` are real ones, `played` those of the game."""

    test: LuaTest
    problem: Problem | None
    seconds: float
    played: float


@dataclass(slots=True)
class _Run:
    """One world with one test in it."""

    sim: Sim
    entity: int = 0
    names: list[str] | None = None
    passed: bool = False
    expected: list[str] = field(default_factory=list)
    problem: Problem | None = None

    @property
    def over(self) -> bool:
        return self.passed or self.problem is not None or self.names is not None


class LuaTests:
    """The tests of one game."""

    def __init__(self, project: Project, lua: str | None = None) -> None:
        self.project = project
        game, self._modules = project.rehearsed()
        # A problem fails a test in any case, unless the test expects it.
        self._options = {**game.world, "strict": False, **({"lua": lua} if lua else {})}

    def files(self) -> list[Path]:
        return sorted(file for file in self.project.tests.glob("*.lua") if file.is_file())

    def collect(self, file: Path) -> list[LuaTest]:
        """The tests of a file; `ScriptError` where it does not load."""
        with self._world(file, 0) as run:
            run.sim._run(1.0, lambda: run.over)
        if run.problem is not None:
            raise ScriptError(
                run.problem.message,
                script=run.problem.script,
                line=run.problem.line,
                traceback=run.problem.traceback,
            )
        lines = _lines(file)
        return [LuaTest(file, n, name, lines.get(name, 1)) for n, name in enumerate(run.names or (), 1)]

    def run(self, test: LuaTest) -> Outcome:
        """Run one test."""
        started = time.perf_counter()

        def over() -> bool:
            return run.over or time.perf_counter() - started > REAL_TIMEOUT

        with self._world(test.file, test.number) as run:
            self._play(run, test, over)
            played = run.sim.world.now
        problem = run.problem or (None if run.passed else _endless(test, played))
        if problem is None and run.expected:
            problem = _problem(test, f"the expected problem did not come: {run.expected[0]!r}")
        return Outcome(test, problem, time.perf_counter() - started, played)

    def _play(self, run: _Run, test: LuaTest, over: Callable[[], bool]) -> None:
        """What the game's own listeners raise fails the test alone, also where they end the game."""
        try:
            self.project.guarded(run.sim._run)(TIMEOUT, over)
        except ProjectError as error:
            run.problem = run.problem or _problem(test, str(error))
        except SystemExit as error:
            run.problem = run.problem or _problem(
                test, f"{self.project.place(error)}the game was ended with SystemExit"
            )

    @contextmanager
    def _world(self, file: Path, number: int) -> Iterator[_Run]:
        with GameWorld(self.project, self._modules, **self._options) as world:
            run = _Run(Sim(world))
            world.install(_kit(run))
            source = _source(file)
            world.on_problem(lambda problem: _note(run, problem))
            world.population.sources.supply(_ENTITY, Source(_ENTITY, "[tidelock]", _harness()), source)
            run.entity = world.spawn(_ENTITY, run=number, file=source.name).id
            yield run


def _note(run: _Run, problem: Problem) -> None:
    for part in run.expected:
        if part in problem.message:
            run.expected.remove(part)
            return
    if run.problem is None:
        run.problem = replace(problem, outcome="") if problem.entity == run.entity else problem


def _kit(run: _Run) -> HostModule:
    """What tests call `sim`."""
    kit = HostModule("tidelock.sim", doc="The simulated world, for tests.")
    world = run.sim.world

    @kit.function
    def collected(names: list[Any] | dict[Any, Any]) -> None:
        run.names = list(names)

    @kit.function
    def passed() -> None:
        run.passed = True

    @kit.function
    def setup() -> None:
        """Run the `setup` of main.py: the game begins. What it spawns is there after a `wait()`."""
        run.sim.setup()

    @kit.function
    def fields(id: int) -> dict[Any, Any] | None:
        """A copy of the fields of an entity's `self`, those that are plain data; None where there is no entity."""
        entity = world.entity(id)
        return None if entity is None else fields_of(entity)

    @kit.function
    def press(action: str) -> None:
        """The player presses an action."""
        world.input.press(action)

    @kit.function
    def release(action: str) -> None:
        """The player releases an action."""
        world.input.release(action)

    @kit.function
    def point(x: float, y: float) -> None:
        """The player points somewhere."""
        world.input.point(x, y)

    @kit.function
    def events(name: str) -> list[Any]:
        """The events of that name so far."""
        return [{"name": event.name, "payload": event.payload, "sender": event.sender} for event in run.sim.named(name)]

    @kit.function
    def expect_problem(part: str) -> None:
        """The test goes on in spite of a problem whose message has this in it, and fails without one."""
        run.expected.append(part)

    return kit


@cache
def _harness() -> bytes:
    return (resources.files("engine.testing") / "harness.lua").read_bytes()


def _source(file: Path) -> Source:
    name = re.sub(r"[^\w-]", "_", file.stem)
    try:
        text = bare_text(file.read_bytes())
        text.decode()
    except UnicodeDecodeError as error:
        raise ScriptError("the test is not UTF-8; save it as UTF-8", script=f"tests/{file.name}", line=1) from error
    return Source(f"{name}-test", f"{file.parent.name}/{file.name}", text or b"--")


def _lines(file: Path) -> dict[str, int]:
    text = file.read_text(encoding="utf-8")
    return {found["name"]: text.count("\n", 0, found.start("name")) + 1 for found in _TEST.finditer(text)}


def _endless(test: LuaTest, played: float) -> Problem:
    return _problem(test, f"the test did not end; {played:.0f} seconds of game time have passed")


def _problem(test: LuaTest, message: str) -> Problem:
    return Problem(message, f"{test.file.parent.name}/{test.file.name}", test.line, None, "", 1, 0, 0)
