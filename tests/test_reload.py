"""What a reload keeps, what it replaces, and what it leaves alone when it fails."""

import gc

import pytest

from engine.errors import EngineError, EntityGone, ScriptNotFound
from engine.lua.actor import Actor
from helpers import ticks

DOOR = """
local door = {}

door.properties = { width = 2 }

function door:init()
  self.inits = (self.inits or 0) + 1
  self.heard = 0
  self.beats = 0
end

function door:start()
  self.starts = (self.starts or 0) + 1
  bus.on("knock", function()
    self.heard = self.heard + 1
  end)
  task.every(1, function()
    self.beats = self.beats + 1
  end)
end

return door
"""


def fields(entity):
    with entity.self.upgrade() as self_:
        return self_.to_dict()


def messages(world):
    return [problem.message for problem in world.problems]


def reloads(world):
    told = []
    world.on_reload(lambda reload: told.append((reload.script, reload.version, reload.entities)))
    return told


def save(world, scripts, name, source):
    scripts.write(name, source)
    world.reload(name)
    world.tick(0)


@pytest.mark.row("F1")
def test_a_reload_keeps_self_and_doubles_nothing(world, scripts):
    scripts.write("door", DOOR)
    one, two = world.spawn("door", x=1), world.spawn("door", x=2)
    world.bus.emit("knock")
    ticks(world, 5, 0.5)

    save(world, scripts, "door", DOOR.replace("self.heard + 1", "self.heard + 10"))
    world.bus.emit("knock")
    ticks(world, 4, 0.5)

    for entity, x in (one, 1), (two, 2):
        assert fields(entity) == {"inits": 1, "starts": 2, "heard": 11, "beats": 4, "width": 2, "x": x}
    assert world.stats().subscriptions == 2
    assert world.problems == []


@pytest.mark.row("F1")
def test_the_new_update_runs_in_the_frame_of_the_reload(world, scripts):
    scripts.write("clock", "return { update = function(self) self.n = (self.n or 0) + 1 end }")
    clock = world.spawn("clock")
    world.tick(0.1)

    save(world, scripts, "clock", "return { update = function(self) self.n = (self.n or 0) + 100 end }")

    assert fields(clock)["n"] == 101


def test_listeners_hear_of_a_reload_with_its_version_and_time(world, scripts):
    told = []
    world.on_reload(told.append)
    scripts.write("door", DOOR)
    doors = [world.spawn("door") for _ in range(3)]

    save(world, scripts, "door", DOOR)
    save(world, scripts, "door", DOOR)

    assert [(reload.script, reload.version, reload.entities) for reload in told] == [("door", 2, 3), ("door", 3, 3)]
    assert all(0 < reload.seconds < 60 for reload in told)
    assert [door.version for door in doors] == [3, 3, 3]


@pytest.mark.row("F6")
def test_everything_but_transient_fields_is_equal_before_and_after(world, scripts):
    source = r"""
    local keeper = {}
    keeper.properties = { gone = 1, _cache = "fresh" }
    function keeper:init()
      self.gone = nil
      self.whole, self.float, self.huge = 3, 3.0, math.huge
      self.text, self.bytes = "tide", "\0\255\n"
      self.list, self.empty, self.ids = { 1, { 2, { 3 } } }, {}, { [7] = "seven", [-1] = "below" }
      self._cache, self._fn = "stale", function() end
    end
    function keeper:on_reload()
      self._after = self._cache
    end
    return keeper
    """
    scripts.write("keeper", source)
    keeper = world.spawn("keeper", x=1.5)
    before = {name: value for name, value in fields_without_functions(keeper).items() if name[0] != "_"}

    save(world, scripts, "keeper", source)

    after = fields_without_functions(keeper)
    assert (after.pop("_cache"), after.pop("_after")) == ("fresh", "fresh")
    assert after == before
    assert {name: type(value) for name, value in after.items()} == {name: type(v) for name, v in before.items()}
    assert "_fn" not in after and "gone" not in after


def fields_without_functions(entity):
    with entity.self.upgrade() as self_:
        return {name: copied(self_[name]) for name in self_ if name != "_fn"}


def copied(value):
    return value.to_dict() if hasattr(value, "to_dict") else value


def test_on_reload_gets_the_version_and_the_data_before(world, scripts):
    scripts.write("slime", "return { init = function(self) self.hp, self._path = 7, 1 end }")
    slime = world.spawn("slime")

    save(
        world,
        scripts,
        "slime",
        """
        local slime = {}
        function slime:on_reload(previous)
          self.health = previous.self.hp * 10
          self.from, self.path = previous.version, previous.self._path
          self.hp = nil
          previous.self.hp = 0
        end
        return slime
        """,
    )

    assert fields(slime) == {"health": 70, "from": 1}


def test_properties_that_are_new_are_filled_in_and_those_gone_are_dropped_with_a_note(world, scripts):
    scripts.write("lamp", "return { properties = { radius = 4, fuel = 9, lit = true } }")
    lamp = world.spawn("lamp", radius=6)
    with lamp.self.upgrade() as self_:
        self_["lit"] = None

    save(world, scripts, "lamp", "return { properties = { radius = 5, color = { 1, 2 }, lit = true } }")

    assert fields(lamp) == {"radius": 6, "color": [1, 2]}
    assert [(line.text, line.script) for line in world.log] == [
        ('the property "fuel" is gone: dropped from 1 entity', "scripts/lamp.lua")
    ]


BROKEN = {
    "syntax": "return {",
    "loading": "local nothing = nil\nreturn nothing.x",
    "no table": "local door = {}",
    "on_reload": "return { on_reload = function(self) self.heard = 100; error('not today') end }",
    "start": "return { start = function(self) bus.emit('knock'); entity.spawn('door'); self.a.b = 1 end }",
    "a task of start": "return { start = function() task.spawn(function() error('later') end) end }",
    "requires": "require 'nowhere'\nreturn {}",
    "not UTF-8": b"return { name = '\xff' }",
    "empty": "",
}


@pytest.mark.row("F2")
@pytest.mark.parametrize("what", BROKEN)
def test_what_cannot_start_leaves_the_old_version_as_if_nothing_had_happened(make_world, scripts, what):
    scripts.write("door", DOOR)
    worlds = [make_world(seed=1), make_world(seed=1)]
    for world in worlds:
        world.spawn("door")
        world.spawn("door")
        ticks(world, 5, 0.3)
    left_alone, reloaded = worlds
    told = reloads(reloaded)

    broken = BROKEN[what]
    (scripts.path / "door.lua").write_bytes(broken if isinstance(broken, bytes) else broken.encode())
    reloaded.reload("door")
    for world in worlds:
        world.bus.emit("knock")
        ticks(world, 5, 0.3)

    assert reloaded.stats().digest == left_alone.stats().digest
    assert [fields(door) for door in reloaded.entities] == [fields(door) for door in left_alone.entities]
    assert fields(reloaded.entities[0])["heard"] == 1
    assert reloaded.population.new_id() == left_alone.population.new_id()
    assert told == []
    (problem,) = reloaded.problems
    assert problem.script == "scripts/door.lua"
    assert problem.outcome == "old version still running (v1)"


@pytest.mark.row("F2")
@pytest.mark.parametrize("hook", ["loading", "start"])
def test_a_version_that_never_ends_is_stopped_and_the_old_one_goes_on(world, scripts, lua, hook):
    if lua == "luajit21":
        pytest.skip("compiled loops cannot be stopped: for trusted scripts only")
    scripts.write("door", DOOR)
    door = world.spawn("door")

    endless = "while true do end"
    save(world, scripts, "door", endless if hook == "loading" else f"return {{ start = function() {endless} end }}")
    world.bus.emit("knock")
    world.tick(0)

    assert (door.version, fields(door)["heard"]) == (1, 1)
    assert [problem.outcome for problem in world.problems] == ["old version still running (v1)"]


@pytest.mark.row("F2")
def test_every_save_that_fails_is_told_also_of_the_same_line(world, scripts):
    scripts.write("door", DOOR)
    world.spawn("door")
    told = []
    world.on_problem(lambda problem: told.append((problem.message, problem.count)))

    for text in ("return", "return 5", "return 5"):
        save(world, scripts, "door", text)

    assert [(message.partition(", got")[0][-5:], count) for message, count in told] == [("hooks", n) for n in (1, 2, 3)]
    assert len(world.problems) == 1


@pytest.mark.row("F2")
def test_data_that_cannot_be_carried_is_named_and_the_old_version_goes_on(world, scripts):
    scripts.write("door", "return { init = function(self) self.part = { on_hit = function() end } end }")
    door = world.spawn("door")

    save(world, scripts, "door", "return {}")

    (problem,) = world.problems
    assert "self.part.on_hit: a function cannot leave its state" in problem.message
    assert '"_"' in problem.message
    assert problem.outcome == "old version still running (v1)"
    assert door.version == 1


def test_self_may_be_larger_than_a_payload(world, scripts):
    source = """
    local map = {}
    function map:init()
      self.cells = {}
      for i = 1, 30000 do self.cells[i] = i * 1.5 end
    end
    function map:on_reload(previous)
      self.n, self.last, self.cells = #self.cells, previous.self.cells[30000], nil
    end
    return map
    """
    scripts.write("map", source)
    level = world.spawn("map")

    save(world, scripts, "map", source)

    assert world.problems == []
    assert fields(level) == {"n": 30_000, "last": 45_000.0}


@pytest.mark.row("F2")
def test_one_entity_that_cannot_start_keeps_all_on_the_old_version(world, scripts):
    scripts.write("door", "return {}")
    doors = [world.spawn("door", n=n) for n in range(3)]

    save(world, scripts, "door", "return { start = function(self) self.seen = true; assert(self.n ~= 1) end }")

    assert [door.version for door in doors] == [1, 1, 1]
    assert all("seen" not in fields(door) for door in doors)
    assert [problem.entity for problem in world.problems] == [doors[1].id]


def test_a_problem_of_a_failed_reload_shows_the_line_that_is_on_the_disk_and_goes_when_it_is_mended(world, scripts):
    scripts.write("door", "return {}")
    world.spawn("door")

    save(world, scripts, "door", "local a = 1\nlocal b = = 2\nreturn {}\n")
    (problem,) = world.problems
    assert (problem.line, problem.source) == (2, "local b = = 2")

    save(world, scripts, "door", "local a = 1\nreturn {}\n")
    assert world.problems == []


def test_a_problem_of_the_running_version_shows_its_own_line_not_that_on_the_disk(world, scripts):
    scripts.write("door", "return {\n  on_event = function(self) self.a.b = 1 end,\n}")
    door = world.spawn("door")
    scripts.write("door", "something\nelse\n")

    world.bus.send(door, "push")
    world.tick(0)

    assert world.problems[0].source == "  on_event = function(self) self.a.b = 1 end,"


@pytest.mark.parametrize("broken", ["return {", "return { init = function(self) self.a.b = 1 end }"])
def test_an_entity_that_never_started_starts_when_its_file_is_mended(world, scripts, broken):
    scripts.write("door", broken)
    door = world.spawn("door", x=3)
    assert len(world.problems) == 1

    save(world, scripts, "door", broken)
    assert world.problems[0].count == 2
    save(world, scripts, "door", "return { init = function(self) self.ready = true end }")

    assert world.problems == []
    assert fields(door) == {"x": 3, "ready": True}


def test_an_entity_of_a_script_that_is_not_there_yet_starts_when_it_is(world, scripts):
    door = world.spawn("door")
    assert len(world.problems) == 1

    save(world, scripts, "door", "return { init = function(self) self.ready = true end }")

    assert world.problems == []
    assert fields(door) == {"ready": True}


def test_one_entity_that_fails_in_init_does_not_keep_the_others_from_reloading(world, scripts):
    init = "init = function(self) assert(self.n ~= 1, 'not me') end"
    scripts.write("door", f"return {{ {init} }}")
    doors = [world.spawn("door", n=n) for n in range(3)]

    save(world, scripts, "door", f"return {{ {init}, start = function(self) self.new = true end }}")

    assert [fields(door).get("new") for door in doors] == [True, None, True]
    assert [(problem.entity, problem.count) for problem in world.problems] == [(doors[1].id, 1)]


@pytest.mark.row("F3")
def test_a_library_reloads_all_that_use_it_transitively_and_each_once(world, scripts):
    scripts.write("lib/deep", "return { value = 1 }")
    scripts.write("lib/near", "return { value = require('lib.deep').value * 10 }")
    for name in ("one", "two"):
        scripts.write(
            name,
            "local near, deep = require('lib.near'), require('lib.deep')\n"
            "return { start = function(self) self.value = near.value + deep.value end }",
        )
    scripts.write("three", "return { start = function(self) self.starts = (self.starts or 0) + 1 end }")
    one, two, three = (world.spawn(name) for name in ("one", "two", "three"))
    told = reloads(world)

    save(world, scripts, "lib/deep", "return { value = 2 }")

    assert told == [("one", 2, 1), ("two", 2, 1)]
    assert [fields(entity)["value"] for entity in (one, two)] == [22, 22]
    assert fields(three)["starts"] == 1


@pytest.mark.row("F3")
def test_a_script_and_its_libraries_asked_for_together_reload_once(world, scripts):
    scripts.write("lib", "return 1")
    scripts.write("door", "require 'lib'\nreturn {}")
    world.spawn("door")
    told = reloads(world)

    for name in ("lib", "door", "lib"):
        world.reload(name)
    world.tick(0)

    assert told == [("door", 2, 1)]


@pytest.mark.row("F3")
def test_a_broken_library_keeps_its_users_and_mending_it_clears_the_problem(world, scripts):
    scripts.write("lib", "return { 1 }")
    scripts.write("door", "local lib = require 'lib'\nreturn { start = function(self) self.n = lib[1] end }")
    door = world.spawn("door")

    save(world, scripts, "lib", "return { 2")
    assert [problem.script for problem in world.problems] == ["scripts/lib.lua"]
    assert fields(door)["n"] == 1

    save(world, scripts, "lib", "return { 3 }")
    assert world.problems == []
    assert fields(door)["n"] == 3


@pytest.mark.row("F3")
def test_libraries_that_require_each_other_are_named_in_order(world, scripts):
    scripts.write("a", "return require 'b'")
    scripts.write("b", "return require 'c'")
    scripts.write("c", "return require 'a'")
    scripts.write("door", "require 'a'\nreturn {}")

    world.spawn("door")

    assert "these libraries require each other: a → b → c → a" in messages(world)[0]


def test_a_library_that_waits_while_it_is_loaded_is_refused_to_others_and_loaded_anew_after_a_cancel(world, scripts):
    scripts.write("slow", "wait(0.5)\nreturn 1")
    scripts.write("other", "wait(0.2)\nreturn 2")
    scripts.write(
        "door",
        """
        return { start = function(self)
          local first = task.spawn(require, "slow")
          task.spawn(function() self.other = require("other") end)
          task.spawn(function()
            wait(0.3)
            self.said = select(2, pcall(require, "slow"))
            task.cancel(first)
            self.slow = require("slow")
          end)
        end }
        """,
    )
    door = world.spawn("door")

    ticks(world, 12, 0.1)

    found = fields(door)
    assert (found["other"], found["slow"]) == (2, 1)
    assert 'require: "slow" is still being loaded by another task' in found["said"]


def test_a_library_required_late_comes_from_the_version_that_runs(world, scripts):
    scripts.write("lib", "return 1")
    scripts.write("door", "return { on_event = function(self) self.n = require 'lib' end }")
    door = world.spawn("door")
    scripts.write("lib", "return 2")

    world.bus.send(door, "now")
    world.tick(0)
    scripts.write("lib", "return 3")
    late = world.spawn("door")
    world.bus.send(late, "now")
    world.tick(0)

    assert [fields(door)["n"], fields(late)["n"]] == [2, 2]


@pytest.mark.row("F5")
def test_no_event_is_lost_or_told_twice_during_reloads(make_world, scripts):
    source = """
    local counter = {}
    function counter:init() self.heard, self.sent = {}, 0 end
    function counter:start()
      bus.on("tick.*", function(event) self.heard[#self.heard + 1] = event.payload end)
    end
    function counter:on_event(event) self.sent = self.sent + event.payload end
    return counter
    """
    scripts.write("counter", source)
    world = make_world()
    counters = [world.spawn("counter") for _ in range(3)]

    for n in range(200):
        world.bus.emit("tick.all", n)
        for counter in counters:
            world.bus.send(counter, "direct", 1)
        if n % 3 == 0:
            scripts.write("counter", source if n % 2 else source + "-- ")
            world.reload("counter")
        world.tick(0.01)

    for counter in counters:
        assert fields(counter) == {"heard": list(range(200)), "sent": 200}
    assert counters[0].version == 68


@pytest.mark.row("F5")
def test_mail_for_the_old_version_goes_to_what_the_new_one_listens_to(world, scripts):
    scripts.write(
        "door", "return { start = function() bus.on('a.*', print) bus.on('a.b', print) bus.on('c', print) end }"
    )
    door = world.spawn("door")
    world.bus.emit("a.b", 1)
    world.bus.emit("a.b", 1)
    world.bus.send(door, "d", 2)
    world.bus.emit("c", 3)

    save(
        world,
        scripts,
        "door",
        """
        local door = {}
        function door:start()
          self.heard = {}
          for _, name in ipairs { "*", "a.b", "d" } do
            bus.on(name, function(event) table.insert(self.heard, name .. event.payload) end)
          end
        end
        return door
        """,
    )

    assert fields(door)["heard"] == ["*1", "a.b1", "*1", "a.b1", "*2", "d2", "*3"]


def test_a_request_nobody_looked_at_is_answered_by_the_new_version(world, scripts):
    scripts.write("oracle", "return { start = function() bus.handle('ask', function() return 'old' end) end }")
    oracle = world.spawn("oracle")
    answer = world.bus.request(oracle, "ask")

    save(world, scripts, "oracle", "return { start = function() bus.handle('ask', function() return 'new' end) end }")

    assert answer.result(0) == "new"


def test_a_request_that_the_old_version_was_answering_fails_with_the_reason(world, scripts):
    source = "return { start = function() bus.handle('ask', function() wait(9) return 1 end) end }"
    scripts.write("oracle", source)
    oracle = world.spawn("oracle")
    answer = world.bus.request(oracle, "ask")
    world.tick(0)

    save(world, scripts, "oracle", source)

    with pytest.raises(EntityGone, match=r'was reloaded before it answered "ask"'):
        answer.result(0)


def test_shared_data_that_changed_in_the_frame_of_the_reload_is_told_to_the_new_version(world, scripts):
    source = """
    return { start = function(self)
      shared.watch("score", function(event) self.seen = (self.seen or 0) + event.payload end)
    end }
    """
    scripts.write("board", source)
    board = world.spawn("board")
    world.shared.set("score", 5)

    save(world, scripts, "board", source)

    assert fields(board)["seen"] == 5


@pytest.mark.row("F5")
@pytest.mark.parametrize(("isolation", "times"), [("script", 60), ("entity", 8)])
def test_reloads_of_a_hundred_entities_leave_nothing_behind(make_world, scripts, isolation, times):
    scripts.write("door", DOOR)
    world = make_world(isolation=isolation)
    doors = [world.spawn("door") for _ in range(100)]
    world.reload("door")
    world.tick(0)
    before = held(world)

    for _ in range(times):
        world.reload("door")
        world.tick(0.01)

    *counts, memory = held(world)
    assert counts == before[:2]
    assert memory < before[2] + 300_000
    assert world.leaks() == []
    assert doors[0].version == times + 2
    assert len(world.versions("door")) == 10


def held(world):
    """What 1,000 reloads must not make more of: states, subscriptions, and bytes in a state, garbage included."""
    gc.collect()
    actors = [thing for thing in gc.get_objects() if isinstance(thing, Actor) and thing.alive]
    memory = sum(actor.memory for actor in actors)
    return [len(actors), world.stats().subscriptions, memory / len(actors)]


def test_a_script_can_go_back_to_a_version_that_ran_before(world, scripts):
    scripts.write("door", "return { start = function(self) self.text = 'one' end }")
    door = world.spawn("door")
    save(world, scripts, "door", "return { start = function(self) self.text = 'two' end }")
    save(world, scripts, "door", "return {")
    told = reloads(world)

    assert world.versions("door") == [1, 2]
    world.reload("door", version=1)
    world.tick(0)

    assert fields(door)["text"] == "one"
    assert (door.version, told, world.problems) == (1, [("door", 1, 1)], [])
    save(world, scripts, "door", "return { start = function(self) self.text = 'three' end }")
    assert (door.version, world.versions("door")) == (3, [1, 2, 3])


def test_a_version_that_there_is_not_is_an_error_that_names_those_there_are(world, scripts):
    scripts.write("door", "return {}")
    world.spawn("door")

    with pytest.raises(EngineError, match=r"^there is no version 7 of door to go back to; there are: 1$"):
        world.reload("door", version=7)


def test_a_script_that_there_is_not_cannot_be_reloaded(world, scripts):
    scripts.write("door", "return {}")

    with pytest.raises(ScriptNotFound, match='did you mean "door"'):
        world.reload("dor")


def test_a_version_that_fails_again_and_again_is_taken_back(world, scripts):
    scripts.write("slime", "return { update = function(self) self.n = (self.n or 0) + 1 end }")
    slimes = [world.spawn("slime") for _ in range(2)]
    told = reloads(world)
    world.tick(0.01)

    save(world, scripts, "slime", "return {\n  update = function(self) self.n = self.n + self.speed end,\n}")
    ticks_until(world, lambda: len(told) == 2)

    assert told == [("slime", 2, 2), ("slime", 1, 2)]
    assert [slime.version for slime in slimes] == [1, 1]
    assert [fields(slime)["n"] for slime in slimes] == [2, 2]
    error, verdict = world.problems
    assert error.source == "  update = function(self) self.n = self.n + self.speed end,"
    assert verdict.message == '"update" failed 10 times in a row: version 2 was taken back, version 1 runs again'
    assert verdict.outcome == "old version running again (v1)"

    save(world, scripts, "slime", "return { update = function(self) self.n = 0 end }")
    assert (slimes[0].version, world.problems) == (3, [])


def test_a_version_whose_timer_fails_again_and_again_is_taken_back(world, scripts):
    scripts.write("slime", "return {}")
    slime = world.spawn("slime")
    told = reloads(world)

    save(
        world,
        scripts,
        "slime",
        "return { start = function(self)\n  task.every(0.1, function() self.n = 1 + self.speed end)\nend }",
    )
    ticks_until(world, lambda: len(told) == 2)

    assert (slime.version, told) == (1, [("slime", 2, 1), ("slime", 1, 1)])
    error, verdict = world.problems
    assert (error.count, error.line, error.outcome) == (10, 2, "its function is called again when it is next due")
    assert "task.every at" in verdict.message
    assert verdict.message.endswith("failed 10 times in a row: version 2 was taken back, version 1 runs again")


def ticks_until(world, condition):
    """What does not come from the game by itself may take a few frames."""
    for _ in range(1000):
        if condition():
            return
        world.tick(0.01)
    raise AssertionError("it did not happen within 1,000 frames")


def test_a_version_that_fails_after_its_first_seconds_is_paused_not_taken_back(world, scripts):
    scripts.write("slime", "return {}")
    slime = world.spawn("slime")

    save(world, scripts, "slime", "return { update = function() if time.now > 6 then error('late') end end }")
    ticks(world, 20, 1.0)

    assert slime.version == 2
    assert '"update" failed 10 times in a row and is paused until its script reloads' in messages(world)


def test_a_first_version_that_fails_has_nothing_to_go_back_to(world, scripts):
    scripts.write("slime", "return { update = function() error('one') end }")
    slime = world.spawn("slime")
    ticks(world, 11, 0.01)

    save(world, scripts, "slime", "return { update = function() error('two') end }")
    ticks(world, 11, 0.01)

    assert slime.version == 2
    assert '"update" failed 10 times in a row and is paused until its script reloads' in messages(world)


@pytest.mark.parametrize("isolation", ["entity"])
def test_a_reload_may_change_how_entities_live_together(make_world, scripts):
    scripts.write("slime", "return {}")
    world = make_world()
    slimes = [world.spawn("slime", n=n) for n in range(3)]
    assert world.stats().states == 3

    save(world, scripts, "slime", "return { isolation = 'script', start = function(self) self.new = true end }")
    assert world.stats().states == 1
    assert [fields(slime) for slime in slimes] == [{"n": n, "new": True} for n in range(3)]

    save(world, scripts, "slime", "return { isolation = 'entity' }")
    assert world.stats().states == 3
    world.spawn("slime")
    assert world.stats().states == 4


def test_a_reload_that_spawns_in_start_spawns_once_it_is_live(world, scripts):
    scripts.write("nest", "return {}")
    scripts.write("egg", "return {}")
    nest = world.spawn("nest")

    save(world, scripts, "nest", "return { start = function(self) self.egg = entity.spawn('egg', { n = 1 }) end }")

    (egg,) = world.find("egg")
    assert fields(nest)["egg"] == egg.id
    assert fields(egg) == {"n": 1}


def test_an_entity_keeps_its_tags_and_its_place_over_a_reload(world, scripts):
    scripts.write("slime", "return { init = function() entity.tag('foe') end }")
    slime = world.spawn("slime", x=1, y=2)
    with slime.self.upgrade() as self_:
        self_["x"] = 5

    save(world, scripts, "slime", "return { on_reload = function(self) self.y = self.y + 1 end }")

    assert world.find("foe") == [slime]
    assert slime.position == (5, 3)


def test_a_world_with_workers_reloads_to_the_same_digest(make_world, scripts):
    scripts.write("lib", "return 2")
    scripts.write("door", DOOR)
    digests = []
    for workers in (0, 2):
        world = make_world(workers=workers)
        for n in range(5):
            world.spawn("door", n=n)
        ticks(world, 3, 0.5)
        save(world, scripts, "door", "local two = require 'lib'\n" + DOOR)
        world.bus.emit("knock")
        ticks(world, 3, 0.5)
        assert world.problems == []
        digests.append(world.stats().digest)
        scripts.write("door", DOOR)

    assert digests[0] == digests[1]


def test_a_listener_of_reloads_that_fails_stops_no_reload(world, scripts):
    def fail(reload):
        raise ZeroDivisionError("the host's own")

    world.on_reload(fail)
    told = reloads(world)
    scripts.write("door", "return {}")
    world.spawn("door")
    world.reload("door")

    with pytest.raises(ZeroDivisionError):
        world.tick(0)

    assert told == [("door", 2, 1)]
    world.tick(0)
