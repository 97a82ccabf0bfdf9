"""Fixtures: a folder of scripts and worlds on it, once for each version of Lua."""

import gc
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zlib import crc32

import pytest
from hypothesis import HealthCheck, settings

from helpers import PATIENCE, ScriptFolder

if TYPE_CHECKING:
    from app_fakes import FakeWorld
    from engine import World
    from engine.app import App
    from host_loops import Play
    from host_modules import Doors

# Before anything imports pygame: tests never open a window or a sound device.
os.environ["SDL_VIDEODRIVER"] = "dummy"
os.environ["SDL_AUDIODRIVER"] = "dummy"
os.environ["PYGAME_HIDE_SUPPORT_PROMPT"] = "1"

# A noisy machine must not fail a property, nor chance a change that has nothing to do with it: the examples are the
# same on every run. `--hypothesis-profile=explore` looks for new ones.
settings.register_profile("explore", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("tidelock", settings.get_profile("explore"), derandomize=True, database=None)
settings.load_profile("tidelock")


LUAS = ["lua55", "lua54", "luajit21"]
LUAS_HERE = [lua for lua in LUAS if find_spec(f"lupa.{lua}")]
LOOPS = ["plain", "pygame", "asyncio"]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--all-combinations", action="store_true", help="every Lua with every isolation and main loop")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep each test on every Lua, under each isolation and in every main loop, but not all of their combinations.

    A state for each script, and a main loop, are tried on one Lua each, which depends on the test's name alone. A test
    that is parametrised with some of them itself keeps all it asks for.
    """
    if config.getoption("all_combinations"):
        return
    dropped = {item for item in items if isinstance(item, pytest.Function) and not _is_needed(item)}
    config.hook.pytest_deselected(items=list(dropped))
    items[:] = [item for item in items if item not in dropped]


def pytest_collection_finish() -> None:
    """What collects garbage need not look, each time, at the thousands of tests that wait for their turn."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="module", autouse=True)
def earlier_modules_are_not_looked_at() -> None:
    """Many tests have garbage collected, which need not look at what the tests of other modules left to stay."""
    gc.collect()
    gc.freeze()


def _is_needed(item: pytest.Function) -> bool:
    """Every Lua meets the first isolation; beside that, who varies by `isolation` or `play` does so on one Lua."""
    free = varies_by(item)
    if "lua" not in free or len(free) == 1:
        return True
    params = item.callspec.params
    turn = crc32(claim_of(item).encode())
    lua = LUAS_HERE.index(params["lua"]) if params["lua"] in LUAS_HERE else -1
    if "play" in free and (LOOPS.index(params["play"]) + turn) % len(LUAS_HERE) != lua:
        return False
    return "isolation" not in free or params["isolation"] == "entity" or turn // 3 % len(LUAS_HERE) == lua


def varies_by(item: pytest.Function) -> list[str]:
    """Which of the fixtures below give the test their values, one after the other."""
    marked = {name for mark in item.iter_markers("parametrize") for name in _names(mark.args[0])}
    params = item.callspec.params if hasattr(item, "callspec") else {}
    return [name for name in ("lua", "isolation", "play") if name in params and name not in marked]


def claim_of(item: pytest.Function) -> str:
    """The name of the test, with what it is parametrised with beside those fixtures."""
    words = item.callspec.id.split("-")
    for name in varies_by(item):
        words.remove(item.callspec.params[name])
    return "-".join([item.nodeid.partition("[")[0], *words])


def _names(names: str | Sequence[str]) -> list[str]:
    return [name.strip() for name in names.split(",")] if isinstance(names, str) else list(names)


# Once per module, so that property tests may use it too: hypothesis refuses fixtures of function scope.
@pytest.fixture(scope="module", params=LUAS)
def lua(request: pytest.FixtureRequest) -> str:
    """Each version of Lua in turn."""
    version: str = request.param
    if version not in LUAS_HERE:
        pytest.skip(f"this platform's lupa wheel has no {version}")
    return version


@pytest.fixture
def scripts(tmp_path: Path) -> ScriptFolder:
    """An empty folder of scripts: `scripts.write("door", "...")`, `scripts.path`."""
    return ScriptFolder(tmp_path / "scripts")


@pytest.fixture(params=["entity", "script"])
def isolation(request: pytest.FixtureRequest) -> str:
    """Entities of one script have a state each, or share one; what a test of worlds claims holds for both.

    A test about one of them says so: `@pytest.mark.parametrize("isolation", ["script"])`.
    """
    chosen: str = request.param
    return chosen


@pytest.fixture
def make_world(scripts: ScriptFolder, lua: str, isolation: str) -> Iterator[Callable[..., "World"]]:
    """Makes worlds on `scripts`; takes the keywords of `World`; closes them at the end, newest first."""
    from engine import World

    with ExitStack() as stack:

        def make(**kwargs: Any) -> World:
            return stack.enter_context(World(scripts.path, **{"lua": lua, "isolation": isolation, **kwargs}))

        yield make


@pytest.fixture
def world(make_world: Callable[..., "World"]) -> "World":
    """A world with every default, under either isolation."""
    return make_world()


@pytest.fixture
def heard(world: "World") -> list[tuple[int, Any]]:
    """Every "heard" event that a script emits, as (entity, payload)."""
    events: list[tuple[int, Any]] = []
    world.bus.on("heard", lambda event: events.append((event.sender, event.payload)))
    return events


@pytest.fixture(scope="module")
def one_window() -> Iterator[None]:
    """The tests of a module share what pygame opened."""
    yield
    import pygame

    pygame.quit()


@pytest.fixture
def fake(tmp_path: Path) -> "FakeWorld":
    """A world without Lua, for tests of the window."""
    from app_fakes import FakeWorld

    return FakeWorld(tmp_path)


@pytest.fixture
def window() -> dict[str, Any]:
    """What is special about the window of a module's tests."""
    return {}


@pytest.fixture
def app(fake: "FakeWorld", window: dict[str, Any]) -> Iterator["App"]:
    """A window on that world."""
    from engine.app import App

    with App(fake, headless=True, **{"size": (64, 36), "scale": 1, **window}) as app:
        yield app


@pytest.fixture
def quiet(app: "App") -> "App":
    """Problems and notices would cover so small a window."""
    app.overlay.draw = lambda *_: None
    return app


@pytest.fixture(params=LOOPS)
def play(request: pytest.FixtureRequest, one_window: None) -> Iterator["Play"]:
    """Plays a world in each kind of main loop: `play(world).until(...)`."""
    from host_loops import play_in

    with play_in(request.param) as made:
        yield made


@pytest.fixture
def press_ctrl_c() -> Iterator[Callable[[], None]]:
    """A process that a shell started in the background would ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield lambda: signal.raise_signal(signal.SIGINT)
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def doors() -> "Doors":
    """A host module whose coroutines the test ends by hand."""
    from host_modules import Doors

    return Doors()


@pytest.fixture
def unhurried() -> Iterator[pytest.MonkeyPatch]:
    """Child processes may take as long as a busy machine needs; `unhurried.undo()` holds new ones to their time."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("children.MARGIN", "process.MARGIN", "process.START"):
            patch.setattr(f"engine.process.{name}", PATIENCE)
        yield patch


@pytest.fixture
def no_gc() -> Iterator[None]:
    """Only reference counts free anything during the test."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()
