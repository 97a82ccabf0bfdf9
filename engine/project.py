"""A game as a folder: scripts/, assets/, tests/, and a main.py whose `setup(world)` makes the first entities."""

from __future__ import annotations

import ast
import os
import runpy
import sys
import tempfile
import traceback
from collections.abc import Callable
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from difflib import get_close_matches
from inspect import iscoroutinefunction, signature
from io import StringIO
from pathlib import Path
from typing import Any, TypeVar

from engine.errors import EngineError
from engine.failures import Failures
from engine.host.module import HostModule
from engine.modules import module_of
from engine.scripts import Scripts
from engine.world import World

Setup = Callable[[World], object]
T = TypeVar("T")


class ProjectError(EngineError):
    """A game's folder or its main.py is not as the command line needs it."""


@dataclass(frozen=True, slots=True)
class Game:
    """What main.py says: `setup`, the keywords of its `WORLD` and `WINDOW`, the host modules that setup installs."""

    setup: Setup
    world: dict[str, Any] = field(default_factory=dict)
    window: dict[str, Any] = field(default_factory=dict)

    @property
    def lua(self) -> str:
        return str(self.world.get("lua", "lua55"))


class Project:
    """The folder of a game; `ProjectError` where it is none."""

    def __init__(self, folder: str | os.PathLike[str] = ".") -> None:
        self.folder = Path(folder).absolute()
        self.scripts = self.folder / "scripts"
        self.assets = self.folder / "assets"
        self.tests = self.folder / "tests"
        self.main = self.folder / "main.py"
        if self.folder.is_file():
            raise ProjectError(f"{os.fspath(folder)} is a file; give the folder of the game{self._above()}")
        if not self.folder.is_dir():
            raise ProjectError(f"there is no folder {os.fspath(folder)}")
        if not self.scripts.is_dir():
            raise ProjectError(
                f"there is no folder scripts/ in {self.folder}; `tidelock new NAME` makes a game, "
                f"or go to the folder of yours{self._above()}"
            )

    def _above(self) -> str:
        """Names the game that the folder is a part of."""
        game = next((folder for folder in self.folder.parents if (folder / "scripts").is_dir()), None)
        return f', which may be "{os.path.relpath(game)}"' if game else ""

    @property
    def has_main(self) -> bool:
        """True where main.py speaks of `setup`, which can be read: a program that plays by itself is not run."""
        return self.main.is_file() and _says_setup(self.main.read_bytes())

    def game(self) -> Game:
        """What main.py says; without main.py the game is the script "main"."""
        if not self.main.is_file():
            return Game(_spawn_main)
        said = self._run_main() if self.has_main else {}
        setup = said.get("setup")
        if not callable(setup):
            raise ProjectError(
                "main.py has no function setup(world); give it one that spawns the first entities, "
                "or play it with `python main.py`"
            )
        if iscoroutinefunction(setup):
            raise ProjectError("main.py: setup is an async def, and nobody waits for it; write def setup(world)")
        world, window = _keywords(said, "WORLD"), _keywords(said, "WINDOW")
        _check_names("WORLD", world, World)  # here for all commands; those of the window need pygame to be known
        if isinstance(window.get("assets"), str | os.PathLike):
            window = {**window, "assets": self.folder / window["assets"]}  # wherever the command is run
        return Game(self.guarded(setup), world, window)

    def rehearsed(self) -> tuple[Game, list[HostModule]]:
        """The game, and the host modules that `setup` installs, found by a rehearsal in a world without scripts.

        For tools that do not play: where main.py is a program of its own they know as much as without one.
        """
        if not self.has_main:
            return Game(_spawn_main), []
        game = self.game()
        with tempfile.TemporaryDirectory() as nowhere, _Rehearsal(nowhere) as world:
            try:
                with redirect_stdout(StringIO()):
                    game.setup(world)
            except (Exception, SystemExit):
                pass  # it missed its scripts; what it installed before counts
            return game, list(world.installed)

    def _run_main(self) -> dict[str, Any]:
        def run(_: World | None) -> dict[str, Any]:
            try:
                return runpy.run_path(str(self.main), run_name="tidelock_game")
            except SystemExit as error:
                advice = 'put what only `python main.py` does under if __name__ == "__main__":'
                raise ProjectError(f"{self.place(error)}main.py ended before its setup was called; {advice}") from error

        if str(self.folder) not in sys.path:
            sys.path.insert(0, str(self.folder))
        found: dict[str, Any] = self.guarded(run)(None)
        return found

    def guarded(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """The same function; what the game's own Python does wrong in it becomes a `ProjectError` with its line."""

        def guarded(*args: Any, **keywords: Any) -> Any:
            try:
                return function(*args, **keywords)
            except ProjectError:
                raise
            except EngineError as error:
                raise ProjectError(f"{self.place(error)}{error}") from error
            except Exception as error:
                place = self.place(error) or _elsewhere(error)
                if not place:
                    raise
                raise ProjectError(f"{place}{type(error).__name__}: {error}{_near(error)}") from error

        return guarded

    def make(self, name: str, kind: Callable[..., T], /, *args: Any, **keywords: Any) -> T:
        """`kind(...)`, with keywords of which some are those of `name` in main.py."""
        _check_names(name, keywords, kind)
        try:
            return kind(*args, **keywords)
        except (TypeError, ValueError) as error:
            raise ProjectError(f"main.py: {name}: {error}") from error

    def place(self, error: BaseException) -> str:
        """ "main.py:12: ": the innermost line that is the game's own."""
        if isinstance(error, SyntaxError) and error.filename:
            return f"{Path(error.filename).name}:{error.lineno}: "
        for frame in reversed(traceback.extract_tb(error.__traceback__)):
            if Path(frame.filename).is_relative_to(self.folder):
                return f"{Path(frame.filename).relative_to(self.folder).as_posix()}:{frame.lineno}: "
        return ""


def _elsewhere(error: Exception) -> str:
    """The place where it came from code that is neither the game's nor ours; "" where it is ours alone."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = Path(__file__).parent
    if len(frames) == 1:
        return "main.py: "  # what was called never began: it takes other arguments
    for frame in frames:
        if not Path(frame.filename).is_relative_to(ours):
            return f"{frame.filename}:{frame.lineno}: "
    return ""


def _near(error: Exception) -> str:
    """The name that was meant, as Python suggests it."""
    if not isinstance(error, AttributeError) or not error.name:
        return ""
    near = get_close_matches(error.name, [name for name in dir(error.obj) if name[0] != "_"], 1)
    return f'; did you mean "{near[0]}"?' if near else ""


def _check_names(name: str, keywords: dict[str, Any], kind: Callable[..., Any]) -> None:
    """`ProjectError` with the keyword that `kind` does not take, and the one that was meant."""
    known = [one.name for one in signature(kind).parameters.values() if one.kind is one.KEYWORD_ONLY]
    for unknown in keywords:
        if unknown not in known:
            near = get_close_matches(unknown, known, 1)
            advice = f'did you mean "{near[0]}"?' if near else f"there are {', '.join(known)}"
            raise ProjectError(f'main.py: {name}: there is no keyword "{unknown}"; {advice}')


def _says_setup(text: bytes) -> bool:
    """Also true of what cannot be read: running it tells why."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return True
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef(name="setup") | ast.AsyncFunctionDef(name="setup"):
                return True
            case ast.Name(id="setup", ctx=ast.Store()):
                return True
            case ast.alias(name=name, asname=called) if (called or name) in ("setup", "*"):
                return True
    return False


class _Rehearsal(World):
    """A world that remembers what is installed."""

    def __init__(self, scripts: str) -> None:
        self.installed: list[HostModule] = []
        super().__init__(scripts)
        self.failures = _Unheard(self, Scripts(self.scripts))

    def install(self, module: Any, *, loop: Any = None) -> None:
        found = module_of(module)
        super().install(found, loop=loop)
        self.installed.append(found)


class _Unheard(Failures):
    """Without scripts everything that `setup` spawns is a problem, of which nobody needs to hear."""

    def problem(self, message: str, **_: Any) -> None: ...


def _spawn_main(world: World) -> None:
    names = Scripts(world.scripts).names()
    if "main" not in names:
        raise ProjectError(
            "there is neither main.py nor scripts/main.lua, so nobody says what the game begins with; "
            "write scripts/main.lua, or a main.py with setup(world)"
        )
    world.spawn("main")


def _keywords(said: dict[str, Any], name: str) -> dict[str, Any]:
    value = said.get(name, {})
    if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
        raise ProjectError(f"main.py: {name} must be a dict of keywords, got {value!r}")
    return value
