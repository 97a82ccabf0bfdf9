"""The pytest plugin: fixtures `world` and `sim`, and the tests in Lua.

Everything of the engine is imported when it is first used: pytest loads this in every project of an environment.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from engine import World
    from engine.project import Project
    from engine.testing.lua_tests import LuaTest, LuaTests
    from engine.testing.sim import Sim

_MARKER = "tidelock(**options): keywords of the World that the fixtures `world` and `sim` use"


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", _MARKER)


@pytest.fixture
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    """A world on the scripts/ beside the tests. The first script error fails the test."""
    from engine.testing.game_world import GameWorld

    project = _project_of(request.path)
    if project is None:
        raise pytest.UsageError(f"there is no folder scripts/ above {request.path}, so `world` has no game")
    game, modules = project.rehearsed()
    marker = request.node.get_closest_marker("tidelock")
    options: dict[str, Any] = {"strict": True, **game.world, **(marker.kwargs if marker else {})}
    with GameWorld(project, modules, **options) as made:
        yield made


@pytest.fixture
def sim(world: World) -> Sim:
    """`world` on a simulated clock: `sim.setup()`, `sim.spawn`, `sim.run(seconds)`, `sim.press`, `sim.events`, ..."""
    from engine.testing.sim import Sim

    return Sim(world)


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> LuaFile | None:
    """Collect `tests/*.lua` beside a folder scripts/."""
    if file_path.suffix != ".lua" or file_path.parent.name != "tests":
        return None
    if not (file_path.parent.parent / "scripts").is_dir():
        return None
    file: LuaFile = LuaFile.from_parent(parent, path=file_path)
    return file


class LuaFile(pytest.File):
    """A file of tests in Lua."""

    def collect(self) -> Iterator[LuaItem]:
        from engine.errors import EngineError
        from engine.project import Project
        from engine.testing.lua_tests import LuaTests

        try:
            tests = LuaTests(Project(self.path.parent.parent))
            found = tests.collect(self.path)
        except EngineError as error:
            raise self.CollectError(str(error)) from None
        for test in found:
            yield LuaItem.from_parent(self, name=test.name, tests=tests, test=test)


class LuaItem(pytest.Item):
    """One test in Lua."""

    def __init__(self, *, tests: LuaTests, test: LuaTest, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._tests = tests
        self._test = test

    def runtest(self) -> None:
        problem = self._tests.run(self._test).problem
        if problem is not None:
            raise LuaFailure(f"{problem}\n{problem.traceback}".rstrip())

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        if isinstance(excinfo.value, LuaFailure):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int, str]:
        return self.path, self._test.line - 1, self.name


class LuaFailure(Exception):
    """A test in Lua failed; the message has its line."""


def _project_of(path: Path) -> Project | None:
    from engine.project import Project

    for folder in path.parents:
        if (folder / "scripts").is_dir():
            return Project(folder)
    return None
