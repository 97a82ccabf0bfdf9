"""Births in a state where the first task lies in wait, be it warm or not: they are as if the script were read then."""

import gc
import subprocess
import sys

import pytest

from engine import EngineError, Limits, World

SCRIPTS = """
-- moves
function m:start() while true do self.x, self.y = self.x + 1, 2 wait() end end
-- stands nowhere
function m:start() wait() self.x, self.y = 3, 4 wait(0.05) self.x = 5 end
-- has no start
function m:init() self.x, self.y = 1, 2 end
-- ends at once
function m:start() self.x, self.y = 1, 2 end
-- makes data and moves
function m:init() self.n, self.x = 3, 7 end
function m:start() wait() self.y = self.n end
-- waits in init
function m:init() self.x = 1 wait() self.y = 2 wait(0.05) self.y = 3 end
function m:start() self.z = self.y log.info("started") wait() self.x = 9 end
-- fails in init
function m:init() self.x, self.y = 1, 2 error("no") end
function m:start() self.x = 5 end
-- fails in start
function m:init() self.x, self.y = 1, 2 end
function m:start() error("no start") end
-- fails with a table
function m:start() self.x, self.y = 1, 2 error({ code = 1 }) end
-- fails later
function m:start() self.x, self.y = 1, 2 wait() wait() error("later") end
-- listens
function m:start() bus.on("news", function(event) self.x, self.y = event.payload.n, 1 end)
  wait(0.02) bus.emit("news", { n = entity.id }) end
-- talks in init
function m:init() bus.emit("news", { n = 1 }) self.x = 1 wait() log.info("and") end
function m:start() bus.emit("news", { n = 2 }) end
-- is drawn
function m:init() self.sprite, self.x, self.y = "a.png", 1, 2 end
function m:start() while true do wait() self.x = self.x + 1 end end
-- is drawn later
function m:start() self.x, self.y = 1, 2 wait() wait() self.sprite = "a.png" wait() self.x = 4 end
-- draws lots
function m:start() self.x, self.y = math.random(100), math.random(100) wait() self.x =
  math.random(100) end
-- has defaults
m.properties = { hp = 3, list = { 1, 2 } }
function m:start() self.list[1] = self.hp wait() self.x, self.y = self.list[1], self.list[2] end
-- has what are no defaults
m.properties = false
function m:start() self.x, self.y = 1, 2 wait() end
-- has a sprite by default
m.properties = { sprite = "b.png" }
function m:start() self.x, self.y = 1, 2 wait() end
-- has others wait
function m:start() task.spawn(function() wait() self.x, self.y = 1, 2 end) wait() wait() self.x = 5
  end
-- uses coroutines
function m:start() local c = coroutine.wrap(function() self.x, self.y = 1, 2 wait()
  coroutine.yield(7) end) self.x = c() wait() end
-- sorts
function m:start() local t = { 3, 1, 2 } table.sort(t, function(a, b) if a == 3 then
  bus.emit("news", { n = 1 }) end return a < b end) self.x, self.y = t[1], t[2] wait() self.x = 6
  end
-- has a child
function m:start() self.x, self.y = 1, 2 if entity.id < 3 then entity.spawn("one", { x = 9 }) end
  wait() end
-- ends itself
function m:start() self.x, self.y = 1, 2 entity.destroy() wait() self.x = 3 end
-- waits for long
function m:start() self.x, self.y = 1, 2 wait(0.04) self.x = 3 end
-- waits for news
function m:start() self.x, self.y = 1, 2 local e = task.wait_event("news", 0.05) self.x = e and
  e.payload.n or 0 end
-- waits wrongly
function m:start() self.x, self.y = 1, 2 wait(-1) end
-- has a clean-up
function m:start() task.finally(function() self.x = 0 end) self.x, self.y = 1, 2 wait() end
-- updates
function m:update(dt) self.x, self.y = (self.x or 0) + dt, 1 end
-- updates and makes data
function m:init() self.v = 2 end
function m:update(dt) self.x, self.y = (self.x or 0) + self.v * dt, time.frame end
-- updates what it is sent
function m:update(dt) self.x = self.x + dt self.y = dt end
function m:on_event(event) self.x = event.payload end
-- updates and waits in init
function m:init() wait() self.n = 1 end
function m:update() self.x, self.y = self.n or 0, time.frame end
-- updates and starts
function m:start() wait() self.n = 5 end
function m:update() self.x, self.y = self.n or 0, time.frame end
-- updates and is drawn
function m:init() self.sprite = "a.png" end
function m:update() self.x, self.y = time.frame, 1 end
-- updates in steps
function m:fixed_update(dt) self.x, self.y = (self.x or 0) + 1, dt end
-- updates late
function m:update() self.y = 2 end
function m:late_update() self.x = time.frame end
-- fails in update
function m:update() self.x, self.y = 1, 2 error("no update") end
-- ends in update
function m:update() self.x, self.y = 1, 2 if time.frame > 3 then entity.destroy() end end
-- only listens to what it is sent
function m:on_event(event) self.x, self.y = event.payload, 1 end
-- does nothing
m.hp = 3
-- has input
function m:start() self.x, self.y = 1, 2 wait() end
function m:on_input() end
-- misspells
function m:start() self.x, self.y = 1, 2 wait() end
function m:on_evnt() end
-- says where it lives
m.isolation = "script"
function m:start() self.x, self.y = 1, 2 wait() end
-- lives by the clock
m.clock = "real"
function m:start() self.x, self.y = 1, 2 wait() self.x = 5 end
-- changes its class
function m:start() m.x = 5 self.y = 1 wait() m.y = 2 setmetatable(m, { __index = { z = 1 } }) wait()
  self.x = self.z end
-- sees the time
function m:start() self.x, self.y = time.frame, time.now wait() self.x, self.y = time.frame, time.dt
  end
-- has text for x
function m:start() self.x, self.y = "a", 1 wait() self.x = 2 end
-- looks through its globals
function m:start() local names = {} for name in pairs(_G) do names[#names + 1] = name end
  table.sort(names) self.x, self.y = #names, 1 wait() self.names = table.concat(names, " ") end
-- has globals of its own
time = { dt = 3 } function log() return 4 end
function m:start() self.x, self.y = time.dt, log() wait() log = nil bus.emit("news", { n = 1 })
  self.x = type(log.info) == "function" and 1 or 0 end
-- draws at its birth
function m:start() draw.text("hi", 1, 2) sound.play("a.wav") self.x, self.y = 1, 2 wait() end
-- draws in init, and updates
function m:init() draw.line(1, 2, 3, 4) self.x, self.y = 1, 2 end
function m:update() self.x = self.x + 1 end
-- reads what it shares
function m:start() shared.set("k", { 4, a = 2 }) self.shared = shared.get("k") self.x, self.y =
  self.shared[1], self.shared.a wait() end
-- shares what cannot be
function m:start() self.x, self.y = 1, 2 self.why = select(2, pcall(shared.set, "k", print)) wait() end
-- has no child
function m:start() self.x, self.y = 1, 2 self.why = select(2, pcall(entity.spawn, "one", { f = print }))
  wait() end
-- says who it is
function m:start() self.x, self.y = entity.id, #entity.script wait() end
"""

BEGINNINGS = dict(part.split("\n", 1) for part in SCRIPTS.strip().removeprefix("-- ").split("\n-- "))


def life(scripts, lua, warm, fields=None, **options):
    """All that can be seen of three entities that are born between frames, and of what came of them.

    Without a number for `warm` their script is read when they are born.
    """
    seen = []
    with World(scripts.path, lua=lua, seed=3, **options) as world:
        if warm is None:
            world.states._reading = lambda *_: None
        world.bus.on("news", lambda event: seen.append((world.frame, event.name, event.payload, event.sender)))
        world.on_problem(lambda problem: seen.append((world.frame, problem.message, problem.line, problem.entity)))
        world.tick(1 / 60)
        world.warm(warm or 0, "one")
        for number in range(3):
            entity = world.spawn("one", **(fields or {"x": number, "hp": 2.5}))
            seen.append((entity.id, entity.ready, entity.position, entity.alive))
        for _ in range(6):
            world.tick(1 / 60)
            seen.append([(one.id, one.position, one.ready, dict(one.view), one.tags) for one in world.entities])
            seen.append(world.stats().digest)
        for one in world.entities:
            with one.self.upgrade() as self_:
                seen.append(self_.to_dict())
        seen.append([(said.message, said.traceback, said.count) for said in world.problems])
    return seen


def assert_same_lives(scripts, lua, fields=None, **options):
    """Born of a warm state, of one that was made for it, or read at the birth."""
    read_at_birth = life(scripts, lua, None, fields, **options)
    assert life(scripts, lua, 3, fields, **options) == read_at_birth
    assert life(scripts, lua, 0, fields, **options) == read_at_birth


@pytest.mark.parametrize("begins", BEGINNINGS)
def test_who_is_born_of_a_warm_state_lives_as_any_other(scripts, lua, begins):
    scripts.write("one", f"local m = {{}} {BEGINNINGS[begins]} return m")

    assert_same_lives(scripts, lua)


FIELDS = [{"sprite": "a.png", "x": 1}, {"name": "é", "x": 1, "y": 2}, {"list": [1], "x": 1}, {"_n": 1}]


@pytest.mark.parametrize("fields", FIELDS)
def test_whatever_fields_it_gets(scripts, lua, fields):
    scripts.write("one", f"local m = {{}} {BEGINNINGS['moves']} return m")

    assert_same_lives(scripts, lua, fields)


@pytest.mark.parametrize("isolation", ["entity", "script"])
@pytest.mark.parametrize("begins", ["moves", "waits in init", "listens", "fails in start"])
def test_with_a_state_for_all_and_with_workers(scripts, lua, isolation, begins):
    scripts.write("one", f"local m = {{}} {BEGINNINGS[begins]} return m")
    options = {"isolation": isolation, "workers": 2}

    assert_same_lives(scripts, lua, **options)


def test_another_script_is_born_of_the_state_as_of_any_other(scripts, lua):
    scripts.write("one", f"local m = {{}} {BEGINNINGS['moves']} return m")
    scripts.write("other", "local m = {} function m:start() self.x, self.y = 1, 2 wait() self.x = 5 end return m")
    with World(scripts.path, lua=lua) as world:
        world.warm(1, "one")
        other = world.spawn("other")
        first = other.position
        world.tick(0.1)

        assert (first, other.position, world.problems) == ((1, 2), (5, 2), [])


def test_a_script_that_was_saved_since_is_read_anew(scripts, lua):
    scripts.write("one", f"local m = {{}} {BEGINNINGS['moves']} return m")
    with World(scripts.path, lua=lua) as world:
        world.warm(2, "one")
        scripts.write("one", "local m = {} function m:start() self.x, self.y = 8, 9 end return m")
        first, second = world.spawn("one"), world.spawn("one")

        assert (first.position, second.position) == ((8, 9), (8, 9))


def test_a_script_that_runs_is_what_warm_states_have_read_whatever_the_disk_says(scripts, lua):
    scripts.write("one", f"local m = {{}} {BEGINNINGS['moves']} return m")
    with World(scripts.path, lua=lua) as world:
        running = world.spawn("one").actor.version.texts["one"]
        scripts.write("one", "local m = {} function m:start() self.x, self.y = 8, 9 end return m")
        world.warm(1, "one")

        assert [state.awaits for state in world.states.warm] == [running]


def test_a_birth_that_never_ends_is_stopped(scripts):
    scripts.write("one", "local m = {} function m:start() while true do end end return m")
    with World(scripts.path, limits=Limits(instructions=50_000)) as world:
        world.warm(1, "one")
        one = world.spawn("one")

        assert "Limits.instructions" in world.problems[0].message
        assert one.alive


def test_who_is_held_by_python_only_leaks_nothing(scripts, lua):
    scripts.write("one", f"local m = {{}} {BEGINNINGS['moves']} return m")
    gc.disable()
    try:
        with World(scripts.path, lua=lua) as world:
            world.warm(3, "one")
            one, other = world.spawn("one", x=1), world.spawn("one", x=1)
            held = one.actor.weak, other.actor.weak
            one.destroy()
            world.tick(0.1)
            other.destroy()

            assert (held[0](), held[1](), world.leaks()) == (None, None, [])
    finally:
        gc.enable()


@pytest.mark.parametrize("tasks", [0, 1])
@pytest.mark.parametrize("begins", ["moves", "ends at once", "updates and waits in init", "has others wait"])
def test_its_task_counts_as_that_of_any_other(scripts, begins, tasks):
    scripts.write("one", f"local m = {{}} {BEGINNINGS[begins]} return m")
    limits = Limits(tasks=tasks)

    assert_same_lives(scripts, "lua55", limits=limits)


@pytest.mark.parametrize("bytes_told", [300, 600, 900, 1_200])
@pytest.mark.parametrize("begins", ["draws at its birth", "has a child", "listens", "talks in init"])
def test_what_it_tells_counts_as_much(scripts, begins, bytes_told):
    scripts.write("one", f"local m = {{}} {BEGINNINGS[begins]} return m")
    limits = Limits(outbox=bytes_told)

    assert_same_lives(scripts, "lua55", limits=limits)


def test_its_clean_ups_run_when_it_ends(scripts, lua):
    """A task that left the calm belongs to its entity from its first wait on."""
    text = 'task.finally(function() bus.emit("news", { n = 1 }) end) wait(0) wait(5)'
    scripts.write("one", f"local m = {{}} function m:init() {text} end function m:update() end return m")
    with World(scripts.path, lua=lua) as world:
        heard = []
        world.bus.on("news", heard.append)
        world.warm(1, "one")
        one = world.spawn("one")
        one.destroy()
        world.tick(0.1)

        assert [event.payload for event in heard] == [{"n": 1}]


@pytest.mark.parametrize("size", [9_000_000, 30_000_000])
def test_long_texts_that_it_gets_meet_no_wall(scripts, size):
    """In a child process: where one does, that ends."""
    scripts.write("one", f"local m = {{}} {BEGINNINGS['moves']} return m")
    code = f"""
from engine import Limits, World
with World({str(scripts.path)!r}, limits=Limits(memory=2_000_000, payload=60_000_000)) as world:
    world.warm(1, "one")
    one = world.spawn("one", words="x" * {size})
    print(one.alive, "too much for entity 1" in world.problems[0].message)
"""
    child = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)

    assert (child.returncode, child.stdout) == (0, "False True\n")


@pytest.mark.parametrize("warm", [0, 1])
@pytest.mark.parametrize("lua", ["lua55", "lua54"])
def test_a_script_that_is_longer_than_all_its_memory_meets_no_wall(scripts, lua, warm):
    """In a child process: where one does, that ends."""
    scripts.write("one", f"local words = '{'x' * 19_000_000}' local m = {{}} {BEGINNINGS['moves']} return m")
    code = f"""
from engine import Limits, World
with World({str(scripts.path)!r}, lua={lua!r}, limits=Limits(memory=2_000_000)) as world:
    world.warm({warm}, "one")
    one = world.spawn("one")
    print(one.alive, "too much for entity 1" in world.problems[0].message)
"""
    child = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)

    assert (child.returncode, child.stdout) == (0, "False True\n")


def test_strict_worlds_raise_what_fails_at_a_birth(scripts, lua):
    scripts.write("one", 'local m = {} function m:start() self.x, self.y = 1, 2 error("no") end return m')
    with World(scripts.path, lua=lua, strict=True) as world:
        world.warm(1, "one")
        with pytest.raises(EngineError, match=r"one\.lua:1: no"):
            world.spawn("one")


@pytest.mark.parametrize("count", [0, 1, 5, 6, 7, 12])
def test_however_many_fields_it_gets(scripts, lua, count):
    scripts.write("one", f"local m = {{}} {BEGINNINGS['ends at once']} return m")
    fields = {f"field_{number}": number + 0.5 for number in range(count)}
    with World(scripts.path, lua=lua) as world:
        world.warm(1, "one")
        one = world.spawn("one", **fields)
        with one.self.upgrade() as self_:
            assert self_.to_dict() == {**fields, "x": 1, "y": 2}
