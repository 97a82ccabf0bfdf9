"""Many entities reload: a thread makes states beside the game, and nobody can tell."""

import threading

import pytest

import engine.reload.attempt
import engine.reload.builder
import engine.reload.readiness
import engine.reload.reloader
from engine import EngineError
from engine.limits import Limits
from engine.reload.builder import Builder
from helpers import PATIENCE, ticks

pytestmark = pytest.mark.parametrize("isolation", ["entity"])

COUNT = 6
MOVER = """
local mover = {}
mover.properties = { speed = VERSION }
function mover:init() self.x, self.y, self.heard = math.random(), 0, {} end
function mover:start()
  bus.on("beat", function(event) table.insert(self.heard, event.payload) end)
  task.every(0.02, function() bus.emit("moved", { id = entity.id, x = self.x, speed = VERSION }) end)
end
function mover:update(dt) self.x = self.x + dt * math.random(10) end
return mover
"""


def text(version):
    return MOVER.replace("VERSION", str(version))


def builders():
    return [thread for thread in threading.enumerate() if thread.name == "tidelock-reload"]


def wait_for(builder):
    if builder._thread is not None:
        builder._thread.join(PATIENCE)


@pytest.fixture
def many(monkeypatch):
    """A few entities are many."""
    monkeypatch.setattr(engine.reload.builder, "MANY", 2)


@pytest.fixture
def slow(monkeypatch):
    """A frame loads one entity."""
    monkeypatch.setattr(engine.reload.attempt, "FEW", 1)
    monkeypatch.setattr(engine.reload.reloader, "LEAST", 0.0)
    monkeypatch.setattr(engine.reload.reloader, "MOST", 0.0)


def begin(world):
    """Begin the reload that a save of the mover brings, and run its first frame."""
    world.reloads._begin(world.population.sources.next("mover"), 0.0)
    world.tick(0.01)
    return world.reloads._attempts["mover"]


def played(world, frames=40):
    """Run a game with a reload in its middle; the sum of all that happened."""
    for _ in range(COUNT):
        world.spawn("mover")
    for frame in range(frames):
        world.bus.emit("beat", frame)
        if frame == frames // 2:
            world.reload("mover")
        world.tick(0.01)
    return world.stats().digest


def test_the_game_is_the_same_whoever_makes_the_states(make_world, scripts, monkeypatch, lua):
    scripts.write("mover", text(1))
    made = []
    monkeypatch.setattr(Builder, "_run", lambda self: made.append(self), raising=True)

    without = played(make_world(seed=4))
    assert made == []
    monkeypatch.undo()
    monkeypatch.setattr(engine.reload.builder, "MANY", 2)
    before = Builder.take
    monkeypatch.setattr(Builder, "take", lambda self: (wait_for(self), made.append(self), before(self))[2])
    beside = played(make_world(seed=4))

    assert len(made) == COUNT - 1
    assert beside == without


def test_entities_tick_their_old_version_while_the_new_one_is_made(make_world, scripts, many, slow):
    scripts.write("mover", text(1))
    world = make_world()
    movers = [world.spawn("mover") for _ in range(COUNT)]
    scripts.write("mover", text(2))

    begin(world)
    beats = 0
    while movers[0].version == 1:
        places = [mover.position for mover in movers]
        world.bus.emit("beat", beats)
        world.tick(0.01)
        beats += 1
        assert {mover.version for mover in movers} in ({1}, {2})
        assert all(mover.position != place for mover, place in zip(movers, places, strict=True))
    world.tick(0.01)

    assert beats >= COUNT - 1
    for mover in movers:
        with mover.self.upgrade() as self_:
            assert self_.to_dict()["heard"] == list(range(beats))


def test_the_thread_ends_with_the_reload(make_world, scripts, many, slow):
    scripts.write("mover", text(1))
    world = make_world()
    mover, *_ = (world.spawn("mover") for _ in range(COUNT))
    assert builders() == []
    scripts.write("mover", text(2))

    attempt = begin(world)
    assert attempt._trials.builder is not None
    while mover.version == 1:
        world.tick(0.01)

    assert builders() == []
    assert world.reloads.readiness.builder is None


def test_a_world_that_closes_meanwhile_ends_the_thread(make_world, scripts, slow):
    scripts.write("mover", text(1))
    world = make_world()
    for _ in range(engine.reload.builder.MANY + 2):
        world.spawn("mover")

    begin(world)
    world.close()

    assert builders() == []
    assert world.leaks() == []


def test_a_save_that_cannot_be_loaded_starts_no_thread(make_world, scripts, many, slow, monkeypatch):
    scripts.write("mover", text(1))
    world = make_world()
    movers = [world.spawn("mover") for _ in range(COUNT)]
    started = []
    monkeypatch.setattr(Builder, "__init__", lambda self, *_: started.append(self))
    scripts.write("mover", "return {")

    world.reload("mover")
    world.tick(0.01)

    assert started == []
    assert [problem.outcome for problem in world.problems] == ["old version still running (v1)"]
    assert {mover.version for mover in movers} == {1}


def test_a_second_save_gets_the_states_that_were_made_for_the_first(make_world, scripts, many, slow):
    scripts.write("mover", text(1))
    world = make_world()
    mover, *_ = (world.spawn("mover") for _ in range(COUNT))

    first = begin(world)
    scripts.write("mover", text(3))
    second = begin(world)

    assert second is not first
    assert second._trials.builder is first._trials.builder is world.reloads.readiness.builder
    while mover.version == 1:
        world.tick(0.01)
    assert builders() == []


def test_few_states_are_made_without_a_thread(lua, isolation):
    builder = Builder(lua, Limits.off(), 1, 1 / 60)
    builder.want(engine.reload.builder.MANY - 1)

    assert not builder.running
    assert builder.take().runtime is not builder.take().runtime
    assert builder.close() == []


def test_the_thread_makes_as_many_states_as_are_wanted(lua, isolation, many):
    builder = Builder(lua, Limits.off(), 1, 1 / 60)
    builder.want(3, frozenset({"task"}))
    wait_for(builder)
    assert len(builder) == 3

    builder.take()

    assert not builder.running
    assert len(builder.close()) == 2
    assert builder.close() == []


def test_the_thread_waits_while_a_frame_is_computed(lua, isolation, many):
    builder = Builder(lua, Limits.off(), 1, 1 / 60)
    builder.pause()
    builder.want(2)
    assert (len(builder), builder.running) == (0, True)

    builder.go_on()
    wait_for(builder)

    assert len(builder) == 2


def test_a_state_made_before_a_file_was_wanted_gets_it_when_it_is_taken(lua, isolation):
    builder = Builder(lua, Limits.off(), 1, 1 / 60)
    builder.want(1)
    assert builder.make(float("inf"))

    builder.want(1, frozenset({"tween"}))

    assert b"tween" in builder.take().runtime.get("snapshots", "loaded")().split(b"\n")


def test_states_that_wait_get_the_files_that_were_wanted_since(lua, isolation):
    builder = Builder(lua, Limits.off(), 1, 1 / 60)
    builder.want(2)
    assert builder.make(float("inf"))

    builder.want(2, frozenset({"tween"}))
    assert not builder.make(-1.0)
    assert builder.make(float("inf"))

    found = [bare.runtime.get("snapshots", "loaded")().split(b"\n") for bare, _ in builder._ready]
    assert [b"tween" in names for names in found] == [True, True]
    assert builder.make(-1.0)


def test_a_state_made_ahead_holds_a_mod_to_its_rights(make_world, scripts, many, slow):
    scripts.write("mods/frost/main", "return { start = function() bus.emit('cold') end }")
    (scripts.path / "mods/frost/mod.toml").write_text('name = "frost"\nversion = "1.0"\nsends = ["cold"]\n')
    world = make_world()
    world.mods("mods/*", lambda mod: mod.asks)
    mods = [world.spawn("mods/frost/main") for _ in range(COUNT)]
    scripts.write("mods/frost/main", "return { start = function(self) self.sent = pcall(bus.emit, 'hot') end }")

    world.reloads._begin(world.population.sources.next("mods/frost/main"), 0.0)
    while mods[0].version == 1:
        world.tick(0.01)

    assert world.problems == []
    for mod in mods:
        with mod.self.upgrade() as data:
            assert data.to_dict()["sent"] is False


def test_time_between_two_frames_goes_into_a_reload(make_world, scripts, slow):
    scripts.write("mover", text(1))
    world = make_world()
    movers = [world.spawn("mover") for _ in range(COUNT)]
    scripts.write("mover", text(2))
    attempt = begin(world)
    assert not attempt.loaded

    assert not world.idle(60.0)

    assert attempt.loaded
    assert {mover.version for mover in movers} == {1}
    world.tick(0.01)
    assert {mover.version for mover in movers} == {1}
    world.tick(0.01)
    assert {mover.version for mover in movers} == {2}
    assert world.problems == []


def test_no_time_between_two_frames_loads_nothing(make_world, scripts, slow):
    scripts.write("mover", text(1))
    world = make_world()
    for _ in range(COUNT):
        world.spawn("mover")
    attempt = begin(world)
    before = len(attempt._trials)

    assert world.reloads.work(-1.0)

    assert len(attempt._trials) == before


def test_a_version_that_fails_between_two_frames_leaves_the_old_one(make_world, scripts, slow):
    scripts.write("mover", text(1))
    world = make_world()
    movers = [world.spawn("mover") for _ in range(COUNT)]
    scripts.write("mover", "assert(entity.id < 4) return {}")
    begin(world)

    assert not world.idle(60.0)

    assert [problem.outcome for problem in world.problems] == ["old version still running (v1)"]
    world.tick(0.01)
    assert {mover.version for mover in movers} == {1}
    assert world.leaks() == []


def test_a_game_that_watches_has_states_ready_for_the_next_save(make_world, scripts):
    scripts.write("mover", text(1))
    world = make_world(watch=True)
    movers = [world.spawn("mover") for _ in range(COUNT)]

    assert not world.idle(60.0)
    assert len(world.reloads.readiness.builder) == COUNT
    world.reloads._begin(world.population.sources.next("mover"), 0.0)
    world.tick(0.01)

    assert {mover.version for mover in movers} == {2}
    assert len(world.reloads.readiness.builder) == 1
    assert not world.idle(60.0)
    assert len(world.reloads.readiness.builder) == COUNT


def test_a_game_that_does_not_watch_keeps_no_states(make_world, scripts):
    scripts.write("mover", text(1))
    world = make_world()
    for _ in range(COUNT):
        world.spawn("mover")

    assert not world.idle(60.0)

    assert world.reloads.readiness.builder is None


def test_idle_inside_a_tick_says_where_it_belongs(make_world, scripts):
    scripts.write("mover", text(1))
    world = make_world()
    world.spawn("mover")
    world.bus.on("moved", lambda _: world.idle(1.0))

    with pytest.raises(EngineError, match="between two frames"):
        ticks(world, 5, 0.01)


def test_looking_at_states_ahead_changes_nothing_in_the_game(make_world, scripts, lua):
    scripts.write("mover", text(1))
    digests = []
    for idle in (False, True):
        world = make_world(watch=True, seed=3)
        for _ in range(COUNT):
            world.spawn("mover")
        for frame in range(20):
            world.bus.emit("beat", frame)
            world.tick(0.01)
            if idle:
                assert not world.idle(60.0)
        digests.append(world.stats().digest)
        assert world.problems == []

    assert digests[0] == digests[1]


def test_what_the_game_changes_between_looks_is_seen_in_the_next_tick(make_world, scripts, monkeypatch):
    monkeypatch.setattr(engine.reload.readiness, "CALM", 1)
    scripts.write("mover", "return { update = function(self) if self.told then self.text = 'told' end end }")
    world = make_world(watch=True)
    mover = world.spawn("mover", x=1, y=2)
    world.tick(0.01)

    with mover.self.upgrade() as self_:
        self_["told"], self_["x"] = True, 5
    assert not world.idle(60.0)
    world.tick(0.01)

    assert (mover.view["text"], mover.position) == ("told", (5, 2))
