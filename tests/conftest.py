"""Fixtures: a folder of scripts and worlds on it, once for each version of Lua."""

import gc
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zlib import crc32

import pytest
from hypothesis import settings

from helpers import ScriptFolder

if TYPE_CHECKING:
    from engine import World
    from host_loops import Play
    from host_modules import Doors

# Before anything imports pygame: tests never open a window or a sound device.
os.environ["SDL_VIDEODRIVER"] = "dummy"
os.environ["SDL_AUDIODRIVER"] = "dummy"
os.environ["PYGAME_HIDE_SUPPORT_PROMPT"] = "1"

# A noisy machine must not fail a property.
settings.register_profile("tidelock", deadline=None)
settings.load_profile("tidelock")


LUAS = ["lua55", "lua54", "luajit21"]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--all-pairs", action="store_true", help="each test of a world with every isolation on every Lua")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep each test on every version of Lua and under each isolation, but not every pair of the two.

    Where a test runs under both, a state for each script is tried on one version, which depends on its name alone.
    """
    if config.getoption("all_pairs"):
        return
    with_a_state_each = {_claim(item, "isolation") for item in items if _param(item, "isolation") == "entity"}
    dropped = [
        item
        for item in items
        if _param(item, "isolation") == "script"
        and _claim(item, "isolation") in with_a_state_each
        and _param(item, "lua") not in (None, _version_for(_claim(item, "isolation", "lua")))
    ]
    config.hook.pytest_deselected(items=dropped)
    gone = set(dropped)
    items[:] = [item for item in items if item not in gone]


def _param(item: pytest.Item, name: str) -> object:
    return item.callspec.params.get(name) if isinstance(item, pytest.Function) and hasattr(item, "callspec") else None


def _claim(item: pytest.Item, *but: str) -> str:
    """The test and its parameters, except those."""
    if not (isinstance(item, pytest.Function) and hasattr(item, "callspec")):
        return item.nodeid
    places = {name: place for name, place in sorted(item.callspec.indices.items()) if name not in but}
    return f"{item.nodeid.partition('[')[0]} {places}"


def _version_for(claim: str) -> str:
    here = [lua for lua in LUAS if find_spec(f"lupa.{lua}")]
    return here[crc32(claim.encode()) % len(here)]


# Once per module, so that property tests may use it too: hypothesis refuses fixtures of function scope.
@pytest.fixture(scope="module", params=LUAS)
def lua(request: pytest.FixtureRequest) -> str:
    """Each version of Lua in turn."""
    version: str = request.param
    if version == "luajit21" and find_spec("lupa.luajit21") is None:
        pytest.skip("this platform's lupa wheel has no LuaJIT 2.1")
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


@pytest.fixture(scope="module")
def one_window() -> Iterator[None]:
    """The tests of a module share what pygame opened."""
    yield
    import pygame

    pygame.quit()


@pytest.fixture(params=["plain", "pygame", "asyncio"])
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
def no_gc() -> Iterator[None]:
    """Only reference counts free anything during the test."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()
