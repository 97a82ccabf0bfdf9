"""From a saved file to the new version: bursts, half-written files, and reloads that take several frames."""

import time
from pathlib import Path

import pytest

import engine.reload.attempt
import engine.reload.reloader
import engine.reload.watch
import helpers
from engine import EngineError
from engine.reload.saves import PATIENCE, QUIET, Saves
from helpers import ticks


class FakeWatcher:
    """Changes that a test makes up, on a clock of its own."""

    def __init__(self):
        self.told = set()
        self.now = 100.0
        self.closed = False

    def changes(self):
        told, self.told = self.told, set()
        return told

    def close(self):
        self.closed = True


@pytest.fixture
def watcher():
    return FakeWatcher()


@pytest.fixture
def saves(watcher):
    return Saves([], watcher=watcher, clock=lambda: watcher.now)


def taken(saves, watcher, *told, after=0.0):
    """What is taken `after` seconds, when the watcher tells of these files."""
    watcher.now += after
    watcher.told = {Path(name) for name in told}
    return [(path.name, round(watcher.now - noticed, 3)) for path, noticed in saves.take()]


@pytest.mark.row("F4")
def test_a_save_is_told_when_nothing_has_happened_to_the_file_for_a_moment(saves, watcher):
    assert taken(saves, watcher, "b", "a") == []
    assert taken(saves, watcher, "b", after=QUIET / 2) == []
    assert taken(saves, watcher, after=QUIET / 2 + 0.001) == [("a", 0.031)]
    assert taken(saves, watcher, after=QUIET / 2) == [("b", 0.046)]
    assert taken(saves, watcher, after=1.0) == []


@pytest.mark.row("F4")
def test_ten_saves_in_a_tenth_of_a_second_are_one(saves, watcher):
    told = [taken(saves, watcher, "door", after=0.01) for _ in range(10)]
    told += [taken(saves, watcher, after=0.01) for _ in range(10)]

    assert [name for files in told for name, _ in files] == ["door"]


def test_a_file_that_never_rests_is_told_all_the_same(saves, watcher):
    told = [taken(saves, watcher, "log", after=0.01) for _ in range(120)]

    assert [round(age, 1) for files in told for _, age in files] == [PATIENCE, PATIENCE]


def test_closing_ends_the_watcher(saves, watcher):
    saves.close()

    assert watcher.closed


@pytest.fixture
def world(make_world):
    return make_world(watch=True)


def reloads(world):
    told = []
    world.on_reload(lambda reload: told.append((reload.script, reload.version)))
    return told


def value(entity, name):
    with entity.self.upgrade() as self_:
        return self_[name]


def until(world, condition, what="the condition"):
    """Tick, without hurry, until it holds."""
    helpers.until(condition, what, lambda: world.tick(0.001))


def watched(world, scripts):
    """An entity of version 2, and its file, which the watcher knows for certain."""
    scripts.write("door", text(1))
    door = world.spawn("door")
    file = scripts.write("door", text(2))
    until(world, lambda: value(door, "n") == 2)
    return door, file


def text(n):
    return f"return {{ start = function(self) self.n = {n} end }}"


@pytest.mark.row("F1", "F4")
def test_a_saved_script_is_live_soon(world, scripts):
    scripts.write("door", text(1))
    door = world.spawn("door")

    scripts.write("door", text(2))
    until(world, lambda: value(door, "n") == 2)


@pytest.mark.row("F4")
def test_a_file_written_in_pieces_ends_with_its_last_text(world, scripts):
    file = scripts.write("door", text(1))
    door = world.spawn("door")

    with file.open("w") as handle:
        handle.write("return { start = function(self) self.n")
        handle.flush()
        until(world, lambda: bool(world.problems), "a problem of the half-written file")
        assert value(door, "n") == 1
        handle.write(" = 2 end }")

    until(world, lambda: value(door, "n") == 2)
    assert world.problems == []


@pytest.mark.row("F4")
def test_a_save_that_writes_aside_and_renames_is_one_reload(world, scripts):
    file = scripts.write("door", text(1))
    door, told = world.spawn("door"), reloads(world)

    aside = file.with_name("door.lua.tmp")
    aside.write_text(text(2))
    aside.replace(file)
    until(world, lambda: value(door, "n") == 2)
    ticks(world, 20, 0.001)

    assert told == [("door", 2)]


@pytest.mark.row("F4")
def test_a_script_that_is_deleted_runs_on_until_it_is_there_again(world, scripts):
    door, file = watched(world, scripts)

    file.unlink()
    until(world, lambda: bool(world.problems), "a problem of the missing file")
    assert (value(door, "n"), world.problems[0].outcome) == (2, "old version still running (v2)")

    scripts.write("door", text(3))
    until(world, lambda: value(door, "n") == 3)
    assert (door.version, world.problems) == (3, [])


@pytest.mark.row("F4")
def test_after_ten_saves_in_a_tenth_of_a_second_the_last_one_runs(world, scripts):
    scripts.write("door", text(1))
    door, told = world.spawn("door"), reloads(world)

    for n in range(2, 12):
        scripts.write("door", text(n))
        began = time.monotonic()
        until(world, lambda began=began: time.monotonic() - began > 0.01)
    until(world, lambda: value(door, "n") == 11)

    assert len(told) <= 10
    assert world.problems == []


@pytest.mark.row("F4")
def test_a_new_file_starts_whoever_waited_for_it(world, scripts):
    scripts.write("door", "return { start = function(self) self.n = require('lib.new') end }")
    door, late = world.spawn("door"), world.spawn("late")
    assert len(world.problems) == 2

    scripts.write("late", text(2))
    scripts.write("lib/new", "return 3")
    until(world, lambda: not world.problems, "both started")

    assert (value(door, "n"), value(late, "n")) == (3, 2)


@pytest.mark.row("F4")
def test_a_renamed_file_says_where_it_is_now(world, scripts):
    door, file = watched(world, scripts)

    file.rename(file.with_name("doors.lua"))
    until(world, lambda: bool(world.problems), "a problem of the renamed file")

    assert world.problems[0].message == 'no script "door" in scripts/; did you mean "doors"?'
    assert value(door, "n") == 2


@pytest.mark.row("F3")
def test_a_saved_library_reloads_its_users(world, scripts):
    scripts.write("lib", "return 1")
    scripts.write("door", "local lib = require 'lib'\nreturn { start = function(self) self.n = lib end }")
    door, told = world.spawn("door"), reloads(world)

    scripts.write("lib", "return 2")
    until(world, lambda: value(door, "n") == 2)

    assert told == [("door", 2)]


def test_a_file_saved_with_the_same_text_reloads_nothing(world, scripts):
    scripts.write("door", text(1))
    scripts.write("broken", "return {")
    scripts.write("other", text(1))
    for name in ("door", "broken", "other"):
        world.spawn(name)
    told = reloads(world)

    scripts.write("door", text(1))
    scripts.write("broken", "return {")
    scripts.write("other", text(2))
    until(world, lambda: bool(told), "the reload of the changed one")
    ticks(world, 20, 0.001)

    assert told == [("other", 2)]
    assert [problem.count for problem in world.problems] == [1]


def test_watching_can_begin_later(make_world, scripts):
    scripts.write("door", text(1))
    world = make_world()
    door = world.spawn("door")

    world.watch()
    world.watch()
    scripts.write("door", text(2))

    until(world, lambda: value(door, "n") == 2)


@pytest.mark.row("F4")
def test_a_world_that_polls_needs_no_events(make_world, scripts, monkeypatch):
    monkeypatch.setattr(engine.reload.watch, "watch", None)  # whoever asks for events fails
    scripts.write("door", text(1))
    world = make_world(watch="poll")
    door = world.spawn("door")

    for version in (2, 3):
        scripts.write("door", text(version))
        until(world, lambda version=version: value(door, "n") == version)


def test_another_word_for_watching_is_an_error_that_names_those_there_are(make_world):
    with pytest.raises(EngineError, match="watch must be True, False or \"poll\", got 'always'"):
        make_world(watch="always")


# Reloads that take several frames: the budget of a frame is over after one entity.


@pytest.fixture
def slow(make_world, scripts, watcher, monkeypatch):
    """A world that loads one entity in each frame, and a function that saves a script."""
    monkeypatch.setattr(engine.reload.attempt, "FEW", 1)
    monkeypatch.setattr(engine.reload.reloader, "LEAST", 0.0)
    monkeypatch.setattr(engine.reload.reloader, "MOST", 0.0)
    world = make_world()
    world.reloads._saves = Saves([], watcher=watcher, clock=lambda: watcher.now)

    def save(name, source):
        watcher.told = {scripts.write(name, source)}
        world.tick(0)
        watcher.now += QUIET
        return world

    world.save = save
    return world


COUNTER = """
local counter = {}
function counter:init() self.n, self.heard = 0, {} end
function counter:start()
  bus.on("beat", function(event) table.insert(self.heard, event.payload .. "VERSION") end)
end
function counter:update() self.n = self.n + 1 end
return counter
"""


def states_of(world):
    return [(entity.version, data(entity)["n"], data(entity)["heard"]) for entity in world.find("counter")]


def data(entity):
    with entity.self.upgrade() as self_:
        return self_.to_dict()


def test_entities_go_on_while_their_new_version_is_made_and_swap_in_one_frame(slow, scripts):
    scripts.write("counter", COUNTER.replace("VERSION", "a"))
    for _ in range(4):
        slow.spawn("counter")

    slow.save("counter", COUNTER.replace("VERSION", "b"))
    seen = []
    for beat in range(5):
        slow.bus.emit("beat", beat)
        slow.tick(0.01)
        seen.append(states_of(slow))

    versions = [{version for version, _, _ in states} for states in seen]
    assert versions == [{1}, {1}, {1}, {1}, {2}]
    assert seen[-1] == [(2, 6, ["0a", "1a", "2a", "3a", "4b"])] * 4


def test_what_the_game_changes_right_before_the_swap_is_carried_over(slow, scripts):
    scripts.write("counter", COUNTER)
    counters = [slow.spawn("counter") for _ in range(3)]

    slow.save("counter", COUNTER + "-- new")
    ticks(slow, 3, 0.01)
    assert next(iter(slow.reloads._attempts.values())).loaded
    with counters[1].self.upgrade() as self_:
        self_["n"] = 100
    slow.tick(0.01)

    assert [(one.version, data(one)["n"]) for one in counters] == [(2, 5), (2, 101), (2, 5)]


def test_entities_that_come_and_go_meanwhile_are_taken_along_and_left_out(slow, scripts, isolation):
    scripts.write("counter", COUNTER)
    first, second, third = (slow.spawn("counter") for _ in range(3))

    slow.save("counter", COUNTER + "-- new")
    slow.tick(0.01)
    first.destroy()
    slow.tick(0.01)
    late = slow.spawn("counter")
    assert late.version == 1
    ticks(slow, 3, 0.01)

    assert [entity.version for entity in (second, third, late)] == [2, 2, 2]
    assert slow.stats().states == (3 if isolation == "entity" else 1)
    assert slow.problems == []


def test_entities_of_one_state_come_and_go_meanwhile(slow, scripts):
    shared = COUNTER.replace("return counter", "counter.isolation = 'script'\nreturn counter")
    scripts.write("counter", shared)
    first, second, _ = (slow.spawn("counter") for _ in range(3))

    slow.save("counter", shared + "-- new")
    ticks(slow, 2, 0.01)
    first.destroy()
    ticks(slow, 3, 0.01)
    slow.bus.emit("beat", 1)
    slow.tick(0.01)

    assert states_of(slow) == [(2, data(second)["n"], ["1VERSION"])] * 2
    assert (slow.stats().states, slow.problems) == (1, [])


def test_a_second_save_meanwhile_takes_the_place_of_the_first(slow, scripts):
    scripts.write("counter", COUNTER)
    counters = [slow.spawn("counter") for _ in range(3)]
    told = reloads(slow)

    slow.save("counter", COUNTER.replace("VERSION", "b"))
    slow.tick(0.01)
    slow.save("counter", COUNTER.replace("VERSION", "c"))
    ticks(slow, 6, 0.01)
    slow.bus.emit("beat", 1)
    slow.tick(0.01)

    assert told == [("counter", 2)]
    assert [data(counter)["heard"] for counter in counters] == [["1c"]] * 3


def test_a_version_that_fails_half_way_changes_nothing(slow, scripts):
    scripts.write("counter", COUNTER)
    counters = [slow.spawn("counter") for _ in range(3)]

    slow.save("counter", "return { start = function(self) assert(entity.id ~= 3) end }")
    ticks(slow, 6, 0.01)

    assert [data(counter)["n"] for counter in counters] == [7, 7, 7]
    assert [problem.outcome for problem in slow.problems] == ["old version still running (v1)"]
    assert slow.leaks() == []


def test_a_reload_that_the_game_asks_for_happens_as_a_whole(slow, scripts):
    scripts.write("counter", COUNTER)
    counters = [slow.spawn("counter") for _ in range(5)]

    slow.reload("counter")
    slow.tick(0.01)

    assert [counter.version for counter in counters] == [2] * 5


def test_the_way_back_from_a_reload_that_the_game_asked_for_happens_as_a_whole_too(slow, scripts):
    scripts.write("counter", COUNTER)
    counters = [slow.spawn("counter") for _ in range(5)]
    scripts.write("counter", COUNTER.replace("self.n + 1", "self.n + self.step"))
    slow.reload("counter")
    ticks(slow, 10, 0.01)
    assert [counter.version for counter in counters] == [2] * 5

    slow.tick(0.01)

    assert [counter.version for counter in counters] == [1] * 5


def test_a_world_may_close_in_the_middle_of_a_reload(slow, scripts):
    scripts.write("counter", COUNTER)
    for _ in range(3):
        slow.spawn("counter")

    slow.save("counter", COUNTER + "-- new")
    slow.tick(0.01)
    half = next(iter(slow.reloads._attempts.values()))
    slow.close()

    assert slow.leaks() == []
    assert len(half._trials) == 0
