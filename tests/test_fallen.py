"""An entity whose state was closed at a limit comes back when its script reloads; one that is within it lives on."""

import pytest

from engine import Limits
from helpers import ticks

# LuaJIT has no limit on memory.
pytestmark = [pytest.mark.row("G2"), pytest.mark.parametrize("lua", ["lua55", "lua54"], indirect=True)]

GREEDY = """
    local greedy = {}
    local kept = {}
    greedy.properties = { gold = 1 }
    function greedy:start()
      self.started = (self.started or 0) + 1
      entity.tag("greedy")
    end
    function greedy:update()
      self.gold = self.gold + 1
      for i = 1, eats do kept[#kept + 1] = ("x"):rep(1000) .. #kept end
    end
    return greedy
"""

SMALL = Limits(memory=2 * 2**20)


def write(scripts, eats):
    scripts.write("greedy", f"local eats = {eats}\n{GREEDY}")


@pytest.fixture
def fallen(make_world, scripts):
    """A world in which a greedy entity has ended, the entity, and one that was not greedy."""
    write(scripts, 500)
    scripts.write("door", "return { update = function(self) self.n = (self.n or 0) + 1 end }")
    world = make_world(limits=SMALL)
    greedy, door = world.spawn("greedy", gold=7), world.spawn("door")
    ticks(world, 10)
    return world, greedy, door


def test_a_state_over_its_memory_is_closed_and_its_entity_ends_with_a_problem(fallen):
    world, greedy, door = fallen

    assert not greedy.alive
    assert (world.entities, world.find("greedy"), world.entity(greedy.id)) == ([door], [], None)
    assert "Limits.memory" in world.problems[-1].message
    assert world.problems[-1].outcome == "a reload of its script starts it anew"
    with door.self.upgrade() as self_:
        assert self_["n"] == 10


def test_it_comes_back_under_its_id_and_starts_anew_when_its_script_reloads(fallen, scripts):
    world, greedy, door = fallen
    write(scripts, 0)

    world.reload("greedy")
    ticks(world, 3)

    assert greedy.alive
    assert (world.entities, world.find("greedy")) == ([greedy, door], [greedy])
    with greedy.self.upgrade() as self_:
        assert self_.to_dict() == {"gold": 10, "started": 1}
    assert (world.problems, greedy.version) == ([], 2)


def test_one_that_is_as_greedy_as_before_ends_again(fallen):
    world, greedy, _ = fallen

    world.reload("greedy")
    ticks(world, 10)

    assert not greedy.alive
    assert world.problems


def test_a_version_that_cannot_start_leaves_it_waiting_for_the_next(fallen, scripts):
    world, greedy, _ = fallen
    scripts.write("greedy", "return {")
    world.reload("greedy")
    ticks(world, 2)
    write(scripts, 0)

    world.reload("greedy")
    ticks(world, 2)

    with greedy.self.upgrade() as self_:
        assert self_["started"] == 1


def test_one_that_was_destroyed_meanwhile_does_not_come_back(fallen, scripts):
    world, greedy, door = fallen
    write(scripts, 0)

    greedy.destroy()
    world.reload("greedy")
    ticks(world, 2)

    assert (greedy.alive, world.entities) == (False, [door])


def test_it_hears_what_it_subscribes_to_when_it_is_back(fallen, scripts):
    world, greedy, _ = fallen
    scripts.write("greedy", "return { start = function(self) bus.on('x', function() self.heard = true end) end }")
    world.reload("greedy")
    ticks(world, 1)

    world.bus.emit("x")
    world.bus.send(greedy, "y")
    ticks(world, 2)

    with greedy.self.upgrade() as self_:
        assert self_["heard"] is True


def test_all_entities_of_a_shared_state_come_back(make_world, scripts):
    write(scripts, 500)
    world = make_world(limits=SMALL, isolation="script")
    all_three = [world.spawn("greedy") for _ in range(3)]
    ticks(world, 10)
    assert world.entities == []
    write(scripts, 0)

    world.reload("greedy")
    ticks(world, 2)

    assert world.entities == all_three
    assert all(entity.ready for entity in all_three)


def test_a_state_that_was_stopped_too_often_comes_back_too(make_world, scripts):
    loop = "function() while true do end end"
    scripts.write("loop", f"return {{ update = {loop}, fixed_update = {loop}, late_update = {loop} }}")
    world = make_world(limits=Limits(instructions=10_000, errors=1))
    entity = world.spawn("loop")
    ticks(world, 4)
    assert not entity.alive
    scripts.write("loop", "return {}")

    world.reload("loop")
    ticks(world, 2)

    assert entity.ready


def test_entities_that_fell_are_kept_up_to_a_number(make_world, scripts, monkeypatch):
    monkeypatch.setattr("engine.fallen.MOST", 2)
    write(scripts, 500)
    world = make_world(limits=SMALL)
    first, second, third = [world.spawn("greedy") for _ in range(3)]
    ticks(world, 10)
    write(scripts, 0)

    world.reload("greedy")
    ticks(world, 2)

    assert [one.alive for one in (first, second, third)] == [False, True, True]


@pytest.mark.parametrize("rest", ["", "function m:update() end"], ids=["alone", "update"])
@pytest.mark.parametrize("before", ["", "wait()", "self.sprite = 'a.png'"], ids=["at once", "waits", "shows"])
@pytest.mark.parametrize("hook", ["init", "start"])
def test_what_a_task_had_that_died_for_lack_of_memory_is_garbage(make_world, scripts, hook, before, rest):
    text = f"local m = {{}} {rest} function m:{hook}() {before} local s = 'x' while true do s = s .. s end end return m"
    scripts.write("doubling", text)
    world = make_world(limits=SMALL)

    entity = world.spawn("doubling")
    ticks(world, 3)

    assert ["not enough memory" in problem.message for problem in world.problems] == [True]
    assert entity.alive
