"""The swap of many entities takes two frames their share: some start at the end of the one before."""

import pytest

import engine.reload.attempt
import engine.reload.reloader
import engine.reload.trials
from engine import HostModule
from helpers import ticks

pytestmark = pytest.mark.parametrize("isolation", ["entity"])

ALL, FEW = 1e9, -1e9


@pytest.fixture(params=[ALL, FEW], ids=["all-ahead", "one-ahead"])
def ahead(monkeypatch, request):
    """Saves load one entity in a frame; then all of them start ahead, or one."""
    monkeypatch.setattr(engine.reload.attempt, "FEW", 1)
    monkeypatch.setattr(engine.reload.attempt, "SETTLING", request.param)
    monkeypatch.setattr(engine.reload.attempt, "SETTLING_EARLY", request.param)
    monkeypatch.setattr(engine.reload.reloader, "LEAST", 0.0)
    monkeypatch.setattr(engine.reload.reloader, "MOST", 0.0)


def started(world, script):
    """Begin the reload that a save brings, and run frames until the next one swaps; how many have started."""
    world.reloads._begin(world.population.sources.next(script), 0.0)
    for _ in range(100):
        world.tick(0.01)
        attempt = world.reloads._attempts[script]
        if attempt._data.of:
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
    monkeypatch.setattr(engine.reload.trials.Trials, "remake", lambda *_: remade.append(1))

    world.reloads._begin(world.population.sources.next("slime"), 0.0)
    for _ in range(10):
        world.bus.emit("beat", 1)
        world.tick(0.01)

    assert [(slime.version, data(slime)["heard"]) for slime in slimes] == [(2, 10)] * 3
    assert remade == []


CHANGES = [  # what init makes, what each frame does, what comes over
    ("self.a, self.b = 1, 'x'", "self.a = 2", {"a": 2, "b": "x"}),
    ("self.a, self.b = 1, 'x'", "self.a, self.b = 'y', true", {"a": "y", "b": True}),
    ("self.a = 1", "self.b = 2", {"a": 1, "b": 2}),
    ("self.a, self.b = 1, 2", "self.b = nil", {"a": 1}),
    ("self.a = 1", "self.a, self.b = nil, 1", {"b": 1}),
    ("self.a = 1", "self.a = { 1, { b = 2 } }", {"a": [1, {"b": 2}]}),
    ("self.a = { 1 }", "self.a = 1", {"a": 1}),
    ("self.a = {}", "self.a.b = 'c'", {"a": {"b": "c"}}),
    ("self.a, self._b = 1, 2", "self.a = 3", {"a": 3}),
    ("self.a = 1", "self._b = function() end", {"a": 1}),
    ("self.a = ''", "self.a = string.rep('long', 12000)", {"a": "long" * 12000}),
    ("for i = 1, 20 do self[i] = i end", "self[20] = 0", {i: i % 20 for i in range(1, 21)}),
    ("self[3], self.a = 1, 2", "self[3] = 4", {3: 4, "a": 2}),
    ("", "self.a = 1", {"a": 1}),
    ("self.a = 1", "self.a = nil", {}),
]


def test_what_changed_since_it_was_looked_at_is_carried_over(make_world, scripts, ahead):
    world = make_world()
    same = heard(world, "same")
    for n, (before, change, _) in enumerate(CHANGES):
        scripts.write(
            f"slime{n}", f"return {{ init = function(self) {before} end, update = function(self) {change} end }}"
        )
        for _ in range(2):
            world.spawn(f"slime{n}")
        scripts.write(
            f"slime{n}",
            "return { on_reload = function(self, previous)\n"
            "  for key in pairs(previous.self) do assert(self[key] ~= nil) end\n"
            "  for key, value in pairs(self) do assert(type(value) == type(previous.self[key])) end\n"
            "  bus.emit('same', previous.version)\nend }",
        )
        world.reloads._begin(world.population.sources.next(f"slime{n}"), 0.0)

    ticks(world, 60, 0.01)

    assert same == [1] * (2 * len(CHANGES))
    for n, (_, _, after) in enumerate(CHANGES):
        assert [data(slime) for slime in world.find(f"slime{n}")] == [after, after]


def test_libraries_that_were_copied_ahead_are_those_of_each_entity(make_world, scripts, ahead):
    scripts.write("slime", "return { start = function(self) self.x = math.floor(1.5) bus.on('a', print) end }")
    world = make_world()
    slimes = [world.spawn("slime") for _ in range(3)]
    scripts.write(
        "slime",
        "return { start = function(self)\n"
        "  assert(rawget(_G, 'math') == nil and rawget(_G, 'bus') == nil)\n"
        "  assert(math.mine == nil and math == math and math ~= require)\n"
        "  math.mine = entity.id\n"
        "end,\nupdate = function(self) self.mine = math.mine end }",
    )

    started(world, "slime")
    ticks(world, 2, 0.01)

    assert [data(slime)["mine"] for slime in slimes] == [slime.id for slime in slimes]
    assert world.problems == []
