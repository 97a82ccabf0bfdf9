"""The swap of many entities takes two frames their share: some start at the end of the one before."""

import pytest

import engine.attempt
import engine.reload
from engine import HostModule
from helpers import ticks

pytestmark = pytest.mark.parametrize("isolation", ["entity"])

ALL, FEW = 1e9, -1e9


@pytest.fixture(params=[ALL, FEW], ids=["all-ahead", "one-ahead"])
def ahead(monkeypatch, request):
    """Saves load one entity in a frame; then all of them start ahead, or one."""
    monkeypatch.setattr(engine.attempt, "FEW", 1)
    monkeypatch.setattr(engine.attempt, "SETTLING", request.param)
    monkeypatch.setattr(engine.reload, "LEAST", 0.0)
    monkeypatch.setattr(engine.reload, "MOST", 0.0)


def started(world, script):
    """Begin the reload that a save brings, and run frames until the next one swaps; how many have started."""
    world.reloads._begin(world.population.sources.next(script), 0.0)
    for _ in range(100):
        world.tick(0.01)
        attempt = world.reloads._attempts[script]
        if attempt._carried:
            return [trial.started for trial in attempt._trials].count(True)
    raise AssertionError("it never came to the swap")


def heard(world, name):
    """The payloads of all events of this name from here on."""
    found = []
    world.bus.on(name, lambda event: found.append(event.payload))
    return found


def data(entity):
    with entity.self.upgrade() as self_:
        return self_.to_dict()


def test_what_starts_ahead_is_heard_at_the_swap_in_the_order_of_the_entities(make_world, scripts, ahead):
    scripts.write("slime", "return { update = function(self) self.n = (self.n or 0) + 1 end }")
    world = make_world()
    slimes = [world.spawn("slime") for _ in range(4)]
    said = heard(world, "hello")
    scripts.write("slime", "return { start = function(self) bus.emit('hello', { entity.id, self.n }) end }")

    count = started(world, "slime")
    n = data(slimes[0])["n"]
    assert count in (1, 4)
    assert said == []
    assert {slime.version for slime in slimes} == {1}
    world.tick(0.01)

    assert said == [[slime.id, n] for slime in slimes]
    assert {slime.version for slime in slimes} == {2}


def test_an_entity_that_the_game_changes_after_it_started_starts_anew(make_world, scripts, ahead):
    scripts.write("slime", "return { update = function(self) self.n = (self.n or 0) + 1 end }")
    world = make_world()
    slimes = [world.spawn("slime") for _ in range(3)]
    said = heard(world, "hello")
    scripts.write("slime", "return { start = function(self) bus.emit('hello', self.n) end }")

    started(world, "slime")
    n = data(slimes[1])["n"]
    with slimes[0].self.upgrade() as self_:
        self_["n"] = 100
    world.tick(0.01)

    assert said == [100, n, n]
    assert [data(slime)["n"] for slime in slimes] == [100, n, n]
    assert (world.problems, world.leaks()) == ([], [])


def test_a_start_that_asks_the_world_waits_for_the_swap_and_runs_once(make_world, scripts, ahead):
    module, calls = HostModule("bell"), []

    @module.function
    def ring(id: int) -> int:
        calls.append(id)
        return len(calls)

    scripts.write("slime", "return {}")
    scripts.write("egg", "return {}")
    world = make_world()
    world.install(module)
    slimes = [world.spawn("slime") for _ in range(3)]
    scripts.write(
        "slime",
        "return { start = function(self) pcall(function() self.egg = entity.spawn('egg') end)\n"
        "self.rung = require('bell').ring(entity.id) end }",
    )

    count = started(world, "slime")
    assert (count, calls, world.find("egg")) == (0, [], [])
    world.tick(0.01)

    assert calls == [slime.id for slime in slimes]
    assert [data(slime)["rung"] for slime in slimes] == [1, 2, 3]
    assert [data(slime)["egg"] for slime in slimes] == [egg.id for egg in world.find("egg")] == [4, 5, 6]
    assert world.problems == []


def test_one_that_fails_when_it_starts_ahead_keeps_all_on_the_old_version(make_world, scripts, ahead):
    scripts.write("slime", "return { update = function(self) self.n = (self.n or 0) + 1 end }")
    world = make_world()
    slimes = [world.spawn("slime") for _ in range(3)]
    said = heard(world, "hello")
    scripts.write("slime", "return { start = function(self) bus.emit('hello') assert(entity.id ~= 3) end }")

    world.reloads._begin(world.population.sources.next("slime"), 0.0)
    ticks(world, 8, 0.01)

    assert said == []
    assert [(slime.version, data(slime)["n"]) for slime in slimes] == [(1, 8)] * 3
    assert [problem.outcome for problem in world.problems] == ["old version still running (v1)"]
    assert world.leaks() == []


def test_entities_that_end_or_come_between_the_two_frames(make_world, scripts, ahead):
    scripts.write("slime", "return {}")
    world = make_world()
    slimes = [world.spawn("slime") for _ in range(3)]
    said = heard(world, "hello")
    scripts.write("slime", "return { start = function(self) bus.emit('hello', entity.id) end }")

    started(world, "slime")
    slimes[0].destroy()
    late = [world.spawn("slime") for _ in range(2)]
    world.tick(0.01)

    assert said == [one.id for one in (*slimes[1:], *late)]
    assert {one.version for one in world.find("slime")} == {2}
    assert world.stats().states == 4
    assert (world.problems, world.leaks()) == ([], [])


def test_where_only_some_ask_the_world_all_start_in_order_and_once(make_world, scripts, ahead):
    scripts.write("slime", "return {}")
    world = make_world()
    slimes = [world.spawn("slime", asks=n % 2 == 1) for n in range(6)]
    said = heard(world, "hello")
    scripts.write(
        "slime",
        "return { start = function(self) if self.asks then self.seen = #entity.find('slime') end\n"
        "bus.emit('hello', entity.id) end }",
    )

    started(world, "slime")
    world.tick(0.01)

    assert said == [slime.id for slime in slimes]
    assert [data(slime).get("seen") for slime in slimes] == [None, 6] * 3
    assert (world.problems, world.leaks()) == ([], [])


def test_events_for_all_in_every_frame_start_nobody_anew(make_world, scripts, ahead, monkeypatch):
    hear = "function(event) self.heard = (self.heard or 0) + event.payload end"
    text = f"return {{ start = function(self) bus.on('beat', {hear}) end }}"
    scripts.write("slime", text)
    world = make_world()
    slimes = [world.spawn("slime") for _ in range(3)]
    scripts.write("slime", text + "-- new")
    remade = []
    monkeypatch.setattr(engine.attempt.Attempt, "_remake", lambda *_: remade.append(1))

    world.reloads._begin(world.population.sources.next("slime"), 0.0)
    for _ in range(10):
        world.bus.emit("beat", 1)
        world.tick(0.01)

    assert [(slime.version, data(slime)["heard"]) for slime in slimes] == [(2, 10)] * 3
    assert remade == []
