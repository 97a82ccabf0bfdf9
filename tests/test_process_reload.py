"""A new version of a script that lives in a process is tried in another one: nothing that runs goes with it."""

import os
import time
from contextlib import ExitStack

import pytest

from engine import Limits, World
from engine.process import launch
from engine.process.process import Process
from helpers import ticks

pytestmark = [pytest.mark.row("G4"), pytest.mark.usefixtures("unhurried")]
POSIX = pytest.mark.skipif(os.name != "posix", reason="signals are a matter of POSIX")

COUNTER = """
local counter = { properties = { n = 0 } }
function counter:start() bus.on("add", function() self.n = self.n + 1 end) end
return counter
"""
NEWER = COUNTER.replace("local counter", "-- newer\nlocal counter")

# The interpreter dies with the first mail of this kind that it gets.
CRASHING = """
import ctypes
import engine.process.child as child
hand = child._WORDS[b"hand"]
def crash(host, number, args, mail):
    if {when}:
        ctypes.string_at(0)
    hand(host, number, args, mail)
child._WORDS[b"hand"] = crash
"""


@pytest.fixture
def one_world(scripts):
    with ExitStack() as stack:
        yield lambda lua="lua55", **kwargs: stack.enter_context(World(scripts.path, lua=lua, **kwargs))


@pytest.fixture
def village(one_world, scripts):
    """A world with a mod of two scripts, which share a process; "add" has been told them three times."""
    world = one_world()
    world.isolate("mods/*", "process")
    for name in ("mods/frost/a", "mods/frost/b"):
        scripts.write(name, COUNTER)
        world.spawn(name)
    for _ in range(3):
        world.bus.emit("add")
    world.tick(0.1)
    return world


def counts(world):
    def n(entity):
        with entity.self.upgrade() as self_:
            return self_["n"]

    return [n(entity) for entity in world.entities]


def reload(world, name):
    world.reload(name)
    world.tick(0.1)


def gone(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


@POSIX
@pytest.mark.parametrize("when", ['mail[0] == b"load"', 'mail[0] == b"resume"'], ids=["loading", "starting"])
def test_a_new_version_that_crashes_its_process_takes_nothing_with_it(village, scripts, monkeypatch, when):
    pids = village.children.pids
    monkeypatch.setattr(
        "engine.process.launch._BOOT",
        launch._BOOT.replace("main(int", CRASHING.format(when=when) + "main(int"),
    )
    scripts.write("mods/frost/a", NEWER)

    reload(village, "mods/frost/a")
    village.bus.emit("add")
    village.tick(0.1)

    [problem] = village.problems
    assert 'the process of "mods/frost" crashed (SIGSEGV)' in problem.message
    assert "Segmentation fault" in problem.traceback
    assert (problem.script, problem.outcome) == ("scripts/mods/frost/a.lua", "old version still running (v1)")
    assert counts(village) == [4, 4]
    assert village.children.pids == pids


@pytest.mark.parametrize("hook", ["on_reload", "start"])
def test_a_new_version_that_never_ends_takes_nothing_with_it(one_world, scripts, unhurried, hook):
    world = one_world("luajit21")
    world.isolate("mods/*", "process")
    world.limit("mods/*", Limits(seconds=0.1))
    scripts.write("mods/a", COUNTER)
    world.spawn("mods/a")
    world.bus.emit("add")
    world.tick(0.1)

    scripts.write("mods/a", f"return {{ {hook} = function() while true do end end }}")
    unhurried.undo()
    reload(world, "mods/a")

    [problem] = world.problems
    assert 'the process of "mods/a" did not answer in 1.1 s and was killed' in problem.message
    assert problem.outcome == "old version still running (v1)"
    assert counts(world) == [1]


def test_a_reload_keeps_the_others_of_a_folder_where_they_are(village, scripts):
    before = village.children.pids["mods/frost"]
    scripts.write("mods/frost/a", NEWER)

    reload(village, "mods/frost/a")
    village.bus.emit("add")
    village.tick(0.1)

    assert village.problems == []
    assert counts(village) == [4, 4]
    assert sorted(village.children.pids) == ["mods/frost", "mods/frost: mods/frost/a"]
    assert village.children.pids["mods/frost"] == before


@POSIX
def test_there_are_never_more_processes_than_scripts(village, scripts):
    seen = set()
    for turn in range(3):
        for name in ("mods/frost/a", "mods/frost/b"):
            scripts.write(name, f"-- {turn}\n{COUNTER}")
            reload(village, name)
            village.tick(0.1)
            seen.update(village.children.pids.values())
            assert len(village.children.pids) <= 2

    assert village.problems == []
    assert counts(village) == [3, 3]
    assert len(seen) == 7
    assert sum(not gone(pid) for pid in seen) == len(village.children.pids)


@POSIX
def test_what_still_looks_at_the_replaced_version_can_do_so(village, scripts):
    before = village.children.pids["mods/frost"]
    a, b = village.entities
    b.destroy()
    scripts.write("mods/frost/a", NEWER)
    with a.self.upgrade() as self_:
        reload(village, "mods/frost/a")
        village.tick(0.1)
        assert self_["n"] == 3
        assert not gone(before)
    village.tick(0.1)

    assert gone(before)
    assert list(village.children.pids) == ["mods/frost"]
    assert village.leaks() == []


@POSIX
def test_the_end_of_one_process_of_a_folder_is_not_the_end_of_the_others(village, scripts):
    scripts.write("mods/frost/a", NEWER)
    reload(village, "mods/frost/a")

    pid = village.children.pids["mods/frost: mods/frost/a"]
    os.kill(pid, 9)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    ticks(village, 2)

    assert "its entities: mods/frost/a 1" in village.problems[0].message
    assert counts(village) == [0, 3]
    assert list(village.children.pids) == ["mods/frost"]


def test_a_failed_reload_leaves_no_process(village, scripts):
    pids = village.children.pids
    scripts.write("mods/frost/a", "return { start = function() error('no') end }")

    reload(village, "mods/frost/a")

    assert [problem.message for problem in village.problems] == ["no"]
    assert counts(village) == [3, 3]
    assert village.children.pids == pids
    assert village.children._trials == []


def test_a_saved_script_waits_for_its_process_while_the_game_goes_on(village, scripts, monkeypatch):
    up = iter([False, False, False])
    monkeypatch.setattr(Process, "is_up", lambda process: next(up, True))
    scripts.write("mods/frost/a", NEWER)
    village.reloads._begin(village.population.sources.next("mods/frost/a"), time.perf_counter())

    versions = []
    for _ in range(4):
        village.bus.emit("add")
        village.tick(0.1)
        versions.append(village.entities[0].version)

    assert versions == [1, 1, 1, 2]
    assert village.problems == []
    assert counts(village) == [7, 7]
