"""From `spawn` to the first `start`: one call into the state where nothing is in the way, two where something is.

In a state of its own an entity has read its script before, and its task is just resumed.
"""

import pytest

from engine import World
from engine.lua.actor import Actor


@pytest.fixture
def handed(monkeypatch):
    """The kinds of mail that were handed over past the inbox, in order."""
    kinds = []
    hand = Actor.hand

    def noted(actor, mail):
        kinds.append(mail[0])
        return hand(actor, mail)

    monkeypatch.setattr(Actor, "hand", noted)
    return kinds


def begun(world, script):
    """What the script left in `self.seen`."""
    with world.spawn(script).self.upgrade() as self_:
        return self_.get("seen")


def test_an_entity_is_loaded_and_started_in_one_call(scripts, lua, isolation, handed):
    scripts.write(
        "door",
        "local m = {}\nfunction m:init() self.seen = 1 end\nfunction m:start() self.seen = self.seen + 1 end\nreturn m",
    )
    with World(scripts.path, lua=lua, isolation=isolation) as world:
        assert begun(world, "door") == 2
        assert begun(world, "door") == 2
        assert handed == ([] if isolation == "entity" else [b"create", b"another"])


def test_one_more_in_a_state_gets_its_own_fields_whoever_was_born_before(scripts, lua, handed):
    scripts.write("door", "return { start = function(self) self.sum = (self.a or 0) + (self.b or 0) end }")
    scripts.write("gate", "return { start = function(self) self.sum = -(self.a or 0) end }")
    with World(scripts.path, lua=lua, isolation="script") as world:

        def sum_of(script, **fields):
            with world.spawn(script, **fields).self.upgrade() as self_:
                return self_["sum"]

        assert [sum_of("door", a=1, b=2), sum_of("door", a=3, b=4), sum_of("door", b=5, a=6)] == [3, 7, 11]
        assert [sum_of("gate", a=1), sum_of("door", b=1), sum_of("gate", a=2), sum_of("door", b=2)] == [-1, 1, -2, 2]
        assert handed == [b"create", b"another", b"another", b"create", b"create", b"another", b"another"]


@pytest.mark.parametrize("says", ["", 'isolation = "script", '])
def test_one_more_is_ready_where_it_is_and_wakes_with_the_others(scripts, lua, says):
    scripts.write("bird", f"return {{ {says}start = function(self) while true do self.x = self.x + 1 wait() end end }}")
    with World(scripts.path, lua=lua, isolation="entity" if says else "script") as world:
        birds = [world.spawn("bird", x=10 * n, y=n) for n in range(3)]

        assert [(bird.position, bird.ready) for bird in birds] == [((10 * n + 1, n), True) for n in range(3)]
        world.tick(0.1)
        assert [bird.position for bird in birds] == [(10 * n + 2, n) for n in range(3)]
        assert len(world.states.actors) == 1


def test_one_more_after_a_reload_runs_the_new_text(scripts, lua):
    scripts.write("door", "return { start = function(self) self.seen = 1 end }")
    with World(scripts.path, lua=lua, isolation="script") as world:
        assert [begun(world, "door"), begun(world, "door")] == [1, 1]

        scripts.write("door", "return { start = function(self) self.seen = 2 end }")
        world.reload("door")
        world.tick(0.1)

        assert [begun(world, "door"), begun(world, "door")] == [2, 2]


def test_what_a_script_does_while_it_loads_is_done_before_it_starts(scripts, lua, isolation, handed):
    scripts.write("door", 'entity.tag("door")\nreturn { init = function(self) self.seen = #entity.find("door") end }')
    with World(scripts.path, lua=lua, isolation=isolation) as world:
        assert begun(world, "door") == 1
        assert begun(world, "door") == 2
        assert handed == [b"create", b"boot", b"create" if isolation == "entity" else b"another", b"boot"]


def test_a_script_that_lives_by_the_real_clock_starts_by_it(scripts, lua, handed):
    scripts.write("menu", 'return { clock = "real", start = function(self) self.seen = time.now end }')
    with World(scripts.path, lua=lua) as world:
        world.time_scale = 0.5
        world.tick(1.0)

        assert begun(world, "menu") == 1.0
        assert handed == [b"begin", b"boot"]


def test_a_script_that_shares_a_state_says_so_before_it_starts(scripts, lua):
    scripts.write("ant", 'return { isolation = "script", start = function(self) self.seen = 1 end }')
    with World(scripts.path, lua=lua) as world:
        ants = [world.spawn("ant") for _ in range(3)]

        assert len({one.actor for one in ants}) == 1


def test_an_entity_whose_init_fails_or_waits_is_not_begun_twice(scripts, lua, isolation):
    scripts.write("bad", "return { init = function(self) self.seen = (self.seen or 0) + 1 error('no') end }")
    scripts.write("slow", "return { init = function(self) self.seen = (self.seen or 0) + 1 wait(1) end }")
    with World(scripts.path, lua=lua, isolation=isolation) as world:
        assert begun(world, "bad") == 1
        assert begun(world, "slow") == 1
        assert [problem.message for problem in world.problems] == ["no"]


@pytest.mark.parametrize("text", ["return 1", "error('no')", "return {", "local m <const> = {} return nil"])
def test_a_script_that_does_not_load_begins_nothing(scripts, lua, handed, text):
    scripts.write("bad", text)
    with World(scripts.path, lua=lua) as world:
        entity = world.spawn("bad")

        assert len(world.problems) == 1
        assert not entity.ready
        assert handed == [b"create"]


def test_an_entity_starts_once_where_a_listener_spawns_another_meanwhile(scripts, lua, isolation):
    scripts.write("door", 'return { start = function() log.info("starts") bus.emit("opened") end }')
    scripts.write("key", "return { start = function(self) self.x = 1 end }")
    with World(scripts.path, lua=lua, isolation=isolation) as world:
        world.bus.on("opened", lambda event: world.spawn("key"))

        world.spawn("door")
        world.spawn("door")

        assert len(world.log) == 2


@pytest.mark.parametrize("clock", ["0", '"unreal"'])
def test_each_entity_is_told_of_a_clock_that_there_is_not(scripts, lua, clock):
    scripts.write("ant", f'return {{ isolation = "script", clock = {clock}, update = function(self) self.x = 1 end }}')
    with World(scripts.path, lua=lua) as world:
        for _ in range(3):
            world.spawn("ant")

        assert [problem.count for problem in world.problems] == [3]
