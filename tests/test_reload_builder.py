"""Many entities reload: a thread makes states beside the game, and nobody can tell."""

import threading

import pytest

import engine.attempt
import engine.builder
import engine.reload
from engine.builder import Builder
from engine.limits import Limits
from helpers import PATIENCE

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
    monkeypatch.setattr(engine.builder, "MANY", 2)


@pytest.fixture
def slow(monkeypatch):
    """A frame loads one entity."""
    monkeypatch.setattr(engine.attempt, "FEW", 1)
    monkeypatch.setattr(engine.reload, "LEAST", 0.0)
    monkeypatch.setattr(engine.reload, "MOST", 0.0)


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
    monkeypatch.setattr(engine.builder, "MANY", 2)
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
    assert attempt._builder is not None
    while mover.version == 1:
        world.tick(0.01)

    assert builders() == []
    assert attempt._builder is None


def test_a_world_that_closes_meanwhile_ends_the_thread(make_world, scripts, slow):
    scripts.write("mover", text(1))
    world = make_world()
    for _ in range(engine.builder.MANY + 2):
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


def test_a_second_save_ends_the_thread_of_the_first(make_world, scripts, many, slow):
    scripts.write("mover", text(1))
    world = make_world()
    mover, *_ = (world.spawn("mover") for _ in range(COUNT))

    first = begin(world)
    scripts.write("mover", text(3))
    second = begin(world)

    assert (first._builder, second is first) == (None, False)
    while mover.version == 1:
        world.tick(0.01)
    assert builders() == []


def test_few_states_are_made_without_a_thread(lua, isolation):
    limits = Limits.off()
    builder = Builder(engine.builder.MANY - 1, lua, limits, 1)

    assert not builder.running
    assert builder.take().runtime is not builder.take().runtime
    assert builder.close() == []


def test_the_thread_makes_as_many_states_as_are_missing(lua, isolation, many):
    builder = Builder(3, lua, Limits.off(), 1, ("task",))
    wait_for(builder)

    builder.take()

    assert not builder.running
    assert len(builder.close()) == 2
    assert builder.close() == []
