"""What the game passes wrongly is refused at that call, and leaves the world as it was."""

import copy
import pickle
from math import inf, nan

import pytest

from engine import EngineError, HostModule, Limits, LuaState, World
from engine.host import files_module, http_module

WRONG = {
    "limit a pattern": lambda world: world.limit(5, Limits()),
    "limit": lambda world: world.limit("door", None),
    "isolate": lambda world: world.isolate(None, "entity"),
    "mods": lambda world: world.mods(5),
    "warm: count": lambda world: world.warm("many"),
    "warm": lambda world: world.warm(1, None),
    "install": lambda world: world.install(5),
    "uninstall": lambda world: world.uninstall(5),
    "idle": lambda world: world.idle(None),
    "on_problem": lambda world: world.on_problem(None),
    "on_reload": lambda world: world.on_reload("door"),
    "press": lambda world: world.input.press(None),
    "press nothing": lambda world: world.input.press(""),
    "release": lambda world: world.input.release(5),
    "point x": lambda world: world.input.point("left", 0),
    "press what is no UTF-8": lambda world: world.input.press("\ud800"),
    "press what is too long": lambda world: world.input.press("a" * 70_000),
    "find": lambda world: world.find([]),
    "entity": lambda world: world.entity({}),
    "limits_of": lambda world: world.limits_of(None),
    "versions": lambda world: world.versions([]),
    "places a pattern": lambda world: world.places("door", None),
    "places": lambda world: world.places([], "door"),
    "trace": lambda world: world.trace(True),
    "trace to no path": lambda world: world.trace("a\0b"),
    "a loop": lambda world: world.install(HostModule("weather"), loop=5),
    "scripts": lambda world: World(None),
    "scripts in bytes": lambda world: World(b"scripts"),
    "scripts without a name": lambda world: World(""),
    "scripts with a zero byte": lambda world: World("a\0b"),
    "scripts that are torn": lambda world: World("\ud800"),
    "lua": lambda world: World(world.scripts, lua=[]),
    "files: folder": lambda world: files_module(5),
    "files: game": lambda world: files_module(game=5),
    "files: max_bytes": lambda world: files_module("saves", max_bytes=None),
    "files: max_files": lambda world: files_module("saves", max_files="all"),
    "a module's doc": lambda world: HostModule("weather", doc=5),
    "a module's payload": lambda world: HostModule("weather", payload="much"),
    "a stand-in": lambda world: HostModule("weather").in_tests(HostModule("weather")),
    "point y": lambda world: world.input.point(0, nan),
}


@pytest.mark.parametrize("use", WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_refused_at_once_with_what_it_is(scripts, use):
    scripts.write("door", "return {}")
    with World(scripts.path) as world:
        with pytest.raises(EngineError, match=r"got |lone surrogates|no host module \"5\""):
            use(world)

        world.spawn("door")
        world.tick(0.1)

        assert not world.problems


@pytest.mark.parametrize("step", [0, -1, nan, inf, 1e-12, None, "1/60"])
def test_a_fixed_step_that_no_clock_can_count_is_refused(scripts, step):
    with World(scripts.path) as world:
        world.fixed_step = step
        with pytest.raises(EngineError, match="fixed_step must be a finite number of seconds >= 1e-06"):
            world.tick(0.1)

        world.fixed_step = 1 / 50
        world.tick(0.1)

        assert world.frame == 1


@pytest.mark.parametrize(
    "words",
    [{"allow": "api.example.com"}, {"allow": None}, {"allow": [5]}, {"timeout": "long"}, {"max_bytes": None}],
    ids=str,
)
def test_http_refuses_what_names_no_hosts_and_no_bounds_before_anybody_asks(words):
    pytest.importorskip("httpx")

    with pytest.raises(EngineError, match=r"http: .*(got |is no host)"):
        http_module(**words)


def test_a_state_of_its_own_refuses_what_is_no_text_and_goes_on(lua):
    with LuaState(lua) as state:
        for wrong in (None, 5, [], "\ud800"):
            with pytest.raises(EngineError, match="run: "):
                state.run(wrong)
            with pytest.raises(EngineError, match="run: chunk: "):
                state.run("return 1", chunk=wrong)

        assert state.run(b"return 1") == 1
    with pytest.raises(EngineError, match="limits must be Limits"):
        LuaState(lua, limits=5)
    with pytest.raises(EngineError, match="lua must be one of"):
        LuaState([])


def test_what_is_one_of_its_kind_is_not_copied_and_goes_on(make_world, scripts):
    scripts.write("door", "return {}")
    world = make_world()
    door = world.spawn("door")
    with LuaState() as state:
        for one in (world, door, state):
            for way in (copy.copy, copy.deepcopy, pickle.dumps):
                with pytest.raises(TypeError, match="cannot be copied or pickled; "):
                    way(one)

        assert state.run("return 1") == 1
    world.tick(0.1)

    assert world.entities == [door]
