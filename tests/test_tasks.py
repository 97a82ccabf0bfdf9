"""Tasks over time: order, clocks, what is kept, and what an error says. Single behaviours stand in tests/lua/task."""

import gc
import importlib
from itertools import pairwise

import pytest

from engine import Limits
from engine.lua import runtime
from engine.lua.state import LuaState
from helpers import PATIENCE, run_child, ticks

BALLAST = 500_000
"""Bytes that an entity's script keeps in use, at the least."""


def said(world):
    return [line.text for line in world.log]


def collect(entity):
    """Run both collectors to their end."""
    gc.collect()
    entity.actor._runtime._vm.execute(b"collectgarbage() collectgarbage()")


def held_tasks(entity):
    return entity.actor._runtime.get("bus", "entities")[entity.id][b"task_count"]


@pytest.mark.row("B2")
def test_a_thousand_mixed_delays_run_by_due_time_then_by_registration(make_world, scripts):
    scripts.write(
        "timers",
        """
        local timers = {}
        function timers:start()
          for i = 1, 1000 do
            local seconds = math.random(0, 40) / 20
            local due = time.now + seconds
            local function fire() print(due, i, time.now >= due) end
            if i % 3 == 0 then
              task.spawn(function() wait(seconds) fire() end)
            else
              task.delay(seconds, fire)
            end
          end
        end
        return timers
        """,
    )

    def run():
        world = make_world(seed=3)
        world.spawn("timers")
        ticks(world, 150)
        return [line.split("\t") for line in said(world)]

    fired = run()

    assert len(fired) == 1000
    assert {in_time for _, _, in_time in fired} == {"true"}
    order = [(float(due), int(i)) for due, i, _ in fired]
    assert order == sorted(order)
    assert fired == run()


@pytest.mark.row("B1")
def test_a_delay_fires_in_the_first_frame_whose_time_has_come(world, scripts):
    scripts.write(
        "timers",
        """
        local timers = {}
        function timers:start()
          for i = 1, 50 do
            task.delay(i * 0.037, function() print(i, time.frame) end)
          end
        end
        return timers
        """,
    )
    world.spawn("timers")
    frames = [0.0]
    for _ in range(130):
        world.tick(1 / 60)
        frames.append(world.now)

    fired = [[int(value) for value in line.split("\t")] for line in said(world)]

    assert len(fired) == 50
    assert all(frames[frame] >= i * 0.037 > frames[frame - 1] for i, frame in fired)


@pytest.mark.row("B1")
@pytest.mark.parametrize("handlers", [1, 2])
def test_waits_begun_by_mail_before_the_tasks_of_a_frame_end_in_the_next(world, scripts, handlers):
    scripts.write(
        "listener",
        """
        local listener = {}
        function listener:start()
          for i = 1, self.handlers do
            bus.on("news", function()
              local began = time.frame
              wait()
              print(i, time.frame - began)
            end)
          end
        end
        return listener
        """,
    )
    world.spawn("listener", handlers=handlers)

    world.bus.emit("news")
    ticks(world, 3)

    assert said(world) == [f"{i}\t1" for i in range(1, handlers + 1)]


@pytest.mark.row("B3")
def test_a_delayed_callback_survives_the_coroutine_that_made_it(world, scripts):
    scripts.write(
        "timers",
        """
        local timers = {}
        function timers:start()
          local words = "kept" .. entity.id
          coroutine.wrap(function()
            task.spawn(function()
              task.delay(1, function() print(words) end)
            end)
          end)()
        end
        return timers
        """,
    )
    entity = world.spawn("timers")
    for _ in range(4):
        collect(entity)
        world.tick(0.25)

    assert said(world) == [f"kept{entity.id}"]


SLEEPY = """
local sleepy = {}
function sleepy:start()
  local ballast = {}
  for i = 1, 100000 do
    ballast[i] = i + 0.5
  end
  task.delay(1, function() print("never", #ballast) end)
  task.every(1, function() print("never", #ballast) end)
  task.spawn(function() wait(1) print("never", #ballast) end)
  task.spawn(function() async.start(function() wait(1) end):await() print("never", #ballast) end)
  task.spawn(function() task.all({ function() wait(1) print("never", #ballast) end }) end)
  task.spawn(function() tween({ x = 0 }, 1, { x = 1 }) print("never", #ballast) end)
  task.spawn(function() coroutine.wrap(function() wait(1) print("never", #ballast) end)() end)
  task.delay(1, coroutine.create(function() print("never", #ballast) end))
  bus.on("never", function() print("never", #ballast) end)
end
return sleepy
"""


@pytest.mark.row("B4")
@pytest.mark.parametrize("isolation", ["script"])
def test_nothing_of_a_destroyed_entity_runs_or_stays(world, scripts):
    scripts.write("sleepy", SLEEPY)
    survivor = world.spawn("sleepy")
    world.tick(0.25)
    collect(survivor)
    before = survivor.actor.memory
    others = [world.spawn("sleepy") for _ in range(5)]
    assert survivor.actor.memory > before + 5 * BALLAST

    for other in others:
        other.destroy()
    world.tick(0.25)
    collect(survivor)

    assert survivor.actor.memory < before + BALLAST / 2
    assert world.problems == []
    survivor.destroy()
    ticks(world, 8, 0.25)
    assert said(world) == []


@pytest.mark.row("B5")
@pytest.mark.parametrize("isolation", ["entity"])
def test_fired_cancelled_and_orphaned_timers_leave_nothing(make_world, scripts):
    scripts.write(
        "timers",
        """
        local timers = {}
        function timers:start()
          while true do
            for i = 1, 500 do
              task.delay(0.25, function() self.fired = (self.fired or 0) + 1 end)
              local cancelled = task.delay(1000, function() end)
              task.cancel(cancelled)
              task.spawn(function()
                local child = task.spawn(function() wait(1000) end)
                task.finally(function() task.cancel(child) end)
                wait(0.25)
              end)
              task.cancel(task.every(0.5, function() end))
              local resumed = task.spawn(coroutine.yield)
              task.delay(1000, resumed)
              task.cancel(resumed)
              async.start(function() wait(0.25) end)
            end
            wait(0.5)
          end
        end
        return timers
        """,
    )
    world = make_world(limits=Limits.off())
    entity = world.spawn("timers")
    ticks(world, 5, 0.25)
    collect(entity)
    tasks, memory = held_tasks(entity), entity.actor.memory

    ticks(world, 20, 0.25)
    collect(entity)

    assert world.problems == []
    with entity.self.upgrade() as self_:
        assert self_["fired"] == 6500
    assert held_tasks(entity) == tasks
    assert entity.actor.memory < memory + 1_000_000, "one leaked thread in thirty is more than this"


@pytest.mark.row("B6")
def test_every_does_not_drift_over_ten_thousand_periods(world, scripts):
    scripts.write(
        "clock",
        """
        local clock = { properties = { calls = 0, latest = 0 } }
        function clock:start()
          task.every(0.1, function(late)
            self.calls = self.calls + 1
            self.latest = math.max(self.latest, late)
            assert(late >= 0 and late == time.now - self.calls * 0.1)
          end)
        end
        return clock
        """,
    )
    entity = world.spawn("clock")

    ticks(world, 10_001, 0.0999999)
    ticks(world, 100, 0.1)

    assert world.problems == []
    with entity.self.upgrade() as self_:
        assert self_["calls"] == 10_100
        assert self_["latest"] < 0.1


@pytest.mark.row("B6", "G1")
def test_a_period_too_short_for_the_clock_is_every_frame_and_no_endless_loop(scripts, lua):
    scripts.write(
        "hasty",
        """
local hasty = {}
function hasty:start()
  for _, seconds in ipairs({ 1e-9, 1e-17, 1e-300, 5e-324 }) do
    task.every(seconds, function() bus.emit("called", seconds) end)
  end
end
return hasty
""",
    )
    code = f"""
    from engine import World
    with World({str(scripts.path)!r}, lua={lua!r}) as world:
        called = []
        world.bus.on("called", lambda event: called.append(event.payload))
        world.spawn("hasty")
        for _ in range(3):
            world.tick(0.1)
        print(sorted(called) == sorted([1e-9, 1e-17, 1e-300, 5e-324] * 3))
    """

    assert run_child(code, timeout=PATIENCE).stdout.split()[-1] == "True"


@pytest.mark.row("B6")
def test_a_long_frame_calls_every_once_and_loses_no_timer(world, scripts):
    scripts.write(
        "slept",
        """
        local slept = {}
        function slept:start()
          task.every(0.25, function(late) print("every", late) end)
          for i = 3, 1, -1 do
            task.delay(i, function() print("timer", i) end)
          end
          while true do
            print("waited", wait(0.5))
          end
        end
        return slept
        """,
    )
    world.spawn("slept")
    world.tick(5.0)
    after_the_long_frame = [line.replace(".0", "") for line in said(world)]
    world.log.clear()
    world.tick(0.25)

    assert after_the_long_frame == ["every\t4.75", "waited\t5", "timer\t1", "timer\t2", "timer\t3"]
    assert [line.replace("0.0", "0") for line in said(world)] == ["every\t0"]


@pytest.mark.row("B9")
def test_time_scale_stops_doubles_and_halves_waits_but_not_on_the_real_clock(world, scripts):
    body = """
        local {0} = {{ clock = "{1}" }}
        function {0}:start()
          while true do
            wait(1)
            print(entity.script, time.frame)
          end
        end
        function {0}:fixed_update()
          self.steps = (self.steps or 0) + 1
        end
        return {0}
        """
    scripts.write("game", body.format("game", "game"))
    scripts.write("menu", body.format("menu", "real"))
    game, menu = world.spawn("game"), world.spawn("menu")
    world.fixed_step = 0.25

    for scale, frames in ((1, 4), (0, 8), (2, 4), (0.5, 8)):
        world.time_scale = scale
        ticks(world, frames, 0.25)

    assert [line for line in said(world) if "game" in line] == [f"game\t{frame}" for frame in (4, 14, 16, 24)]
    assert [line for line in said(world) if "menu" in line] == [f"menu\t{frame}" for frame in range(4, 25, 4)]
    for entity, steps in ((game, 4 + 8 + 4), (menu, 24)):
        with entity.self.upgrade() as self_:
            assert self_["steps"] == steps


@pytest.mark.row("B9")
def test_a_paused_world_still_delivers_mail_and_waits_begun_then_wait_for_the_game(world, scripts):
    scripts.write(
        "listener",
        """
        local listener = {}
        function listener:start()
          bus.on("ping", function()
            print("heard", time.now)
            wait()
            print("goes on", time.now)
          end)
        end
        return listener
        """,
    )
    world.spawn("listener")
    world.time_scale = 0
    world.bus.emit("ping")
    ticks(world, 5, 0.25)
    while_paused = said(world)

    world.time_scale = 1
    world.tick(0.25)

    assert len(while_paused) == 1
    assert said(world)[1:] == ["goes on\t0.25"]


@pytest.mark.row("B9")
def test_a_paused_world_still_runs_late_update_so_that_it_can_be_drawn(world, scripts):
    scripts.write("hud", "return { late_update = function(_, dt) print(dt) end, update = function() print('no') end }")
    world.spawn("hud")
    world.time_scale = 0

    ticks(world, 2)

    assert [float(line) for line in said(world)] == [0, 0]


@pytest.mark.row("C9")
def test_waiting_tasks_cost_no_resumes(make_world, scripts, monkeypatch):
    bare, machines = runtime.bare_vm, []

    def counting(*args):
        machine = bare(*args)
        machine.execute(
            b"resumes = 0 local resume = coroutine.resume "
            b"coroutine.resume = function(...) resumes = resumes + 1 return resume(...) end"
        )
        machines.append(machine)
        return machine

    monkeypatch.setattr(runtime, "bare_vm", counting)
    scripts.write(
        "sleepers",
        """
        local sleepers = {}
        function sleepers:start()
          for _ = 1, 10000 do
            task.spawn(wait, 1000)
          end
          while true do
            wait()
          end
        end
        return sleepers
        """,
    )
    world = make_world(limits=Limits.off())
    world.spawn("sleepers")
    before = machines[-1].eval(b"resumes")

    ticks(world, 100)

    assert before > 10_000
    assert machines[-1].eval(b"resumes") - before == 100


@pytest.mark.row("C9")
@pytest.mark.parametrize("isolation", ["entity"])
def test_a_hundred_thousand_tasks_sleeping_once_each_all_finish(make_world, scripts):
    scripts.write(
        "sleepers",
        """
        local sleepers = {}
        function sleepers:start()
          self.done = 0
          local function sleep(seconds)
            wait(seconds)
            self.done = self.done + 1
          end
          for i = 1, 100000 do
            task.spawn(sleep, i % 97 / 97)
          end
        end
        return sleepers
        """,
    )
    world = make_world(limits=Limits.off())
    entity = world.spawn("sleepers")

    ticks(world, 10, 0.125)

    with entity.self.upgrade() as self_:
        assert self_["done"] == 100_000


@pytest.mark.row("C9")
def test_a_state_whose_tasks_sleep_is_not_ticked(world, scripts):
    scripts.write("sleeper", "return { start = function() wait(10) print('awake') end }")
    entities = [world.spawn("sleeper") for _ in range(20)]
    world.tick(0.25)
    ticked = []
    for entity in entities:
        send = entity.actor._send
        entity.actor._send = lambda args, send=send: ticked.append(args) or send(args)

    ticks(world, 30, 0.25)

    assert ticked == []
    ticks(world, 10, 0.25)
    assert len(ticked) == len(said(world)) == 20


@pytest.mark.row("C10")
def test_an_uncaught_error_has_its_own_stack_and_the_place_of_its_spawn(world, scripts):
    scripts.write(
        "failing",
        """
        local failing = {}
        local function deeper()
          wait(0.25)
          error("too deep")
        end
        local function deep()
          deeper()
          return 1
        end
        function failing:start()
          task.spawn(function()
            deep()
          end)
          task.delay(0.5,
            function() error("from a timer") end)
          task.every(0.75, function() error("from every") end)
        end
        return failing
        """,
    )
    world.spawn("failing")

    ticks(world, 4, 0.25)

    spawned, timer, every = world.problems
    assert (spawned.message, spawned.script, spawned.line) == ("too deep", "scripts/failing.lua", 4)
    assert [place in spawned.traceback for place in ("failing.lua:4:", "failing.lua:7:", "failing.lua:12:")] == [
        True
    ] * 3
    assert "in a task started at scripts/failing.lua:11" in spawned.traceback
    assert (timer.message, timer.line) == ("from a timer", 15)
    assert "in a task started at scripts/failing.lua:14" in timer.traceback
    assert (every.message, every.line) == ("from every", 16)
    assert "in a task started at scripts/failing.lua:16" in every.traceback


@pytest.mark.row("C8")
def test_a_childs_error_reaches_the_parent_with_both_tracebacks(world, scripts):
    scripts.write(
        "family",
        """
        local family = {}
        local function child()
          wait(0.25)
          error("lost")
        end
        function family:start()
          task.all({ function()
            task.group(function(g)
              g.spawn(child)
              wait(1)
            end)
          end })
        end
        return family
        """,
    )
    world.spawn("family")

    ticks(world, 2, 0.25)

    (problem,) = world.problems
    assert (problem.message, problem.line, problem.count) == ("lost", 4, 1)
    stacks = problem.traceback.split("stack traceback:")
    assert len(stacks) == 4, "the parent's, that of the group inside, the child's"
    assert "family.lua:7:" in stacks[1] and "family.lua:8:" in stacks[2] and "family.lua:4:" in stacks[3]
    assert "in a task started at scripts/family.lua:9" in stacks[2]


@pytest.mark.row("C8")
def test_too_many_children_end_the_group_with_an_error(make_world, scripts):
    scripts.write(
        "many",
        """
        local many = {}
        function many:start()
          local list = {}
          for i = 1, 20 do
            list[i] = function() wait(1) end
          end
          print(pcall(task.all, list))
          print(pcall(task.group, function(g)
            for i = 1, 20 do
              g.spawn(wait, 1)
            end
          end))
        end
        return many
        """,
    )
    world = make_world(limits=Limits(tasks=10, instructions=None, seconds=None, memory=None))

    entity = world.spawn("many")

    assert all("live tasks, the limit (Limits.tasks)" in line for line in said(world))
    assert held_tasks(entity) == 0


@pytest.mark.row("C7")
def test_the_end_of_an_entity_runs_clean_ups_once_and_ends_what_they_start(world, scripts):
    scripts.write(
        "dying",
        """
        local dying = {}
        function dying:start()
          task.spawn(function()
            task.finally(function()
              print("cleaned up")
              task.spawn(function()
                task.finally(function() print("what a clean-up started is cleaned up") end)
                print("started by a clean-up")
                wait(1)
                print("never")
              end)
            end)
            wait(1)
          end)
        end
        function dying:final()
          print("final")
          wait(1)
          print("never")
        end
        return dying
        """,
    )
    entity = world.spawn("dying")

    entity.destroy()
    ticks(world, 8, 0.25)

    assert said(world) == ["final", "cleaned up", "started by a clean-up", "what a clean-up started is cleaned up"]
    assert [(each.line, each.message.partition(",")[0]) for each in world.problems] == [(18, "wait: final cannot wait")]


def test_a_clean_up_that_always_starts_another_task_cannot_keep_its_entity(world, scripts):
    scripts.write(
        "undead",
        """
        local undead = {}
        local function haunt()
          task.finally(function() task.spawn(haunt) end)
          wait(1)
        end
        undead.start = haunt
        return undead
        """,
    )
    entity = world.spawn("undead")

    entity.destroy()

    assert not entity.alive
    assert [problem.message for problem in world.problems] == [
        f"task: entity {entity.id} is ending, no task can be started any more"
    ]


# What the patched library must say as Lua's own does. The text gives `say`, which joins what it is given.
PLAIN_COROUTINES = [
    "local co = coroutine.create(function(...) say(...) say(coroutine.yield(1, nil)) return nil, nil end)"
    " say(coroutine.resume(co, nil, 2, nil)) say(coroutine.resume(co, nil)) say(coroutine.resume(co))",
    "local co co = coroutine.create(function() say(coroutine.status(co)) say(coroutine.resume(co)) end)"
    " say(coroutine.status(co)) say(coroutine.resume(co)) say(coroutine.status(co))",
    "local a b = coroutine.create(function() say(coroutine.status(a)) say(coroutine.resume(a)) end)"
    " a = coroutine.create(function() say(coroutine.resume(b)) end) say(coroutine.resume(a))",
    "say(coroutine.resume(coroutine.create(function() error('x') end)))",
    "say(coroutine.resume(coroutine.create(function() error('x', 0) end)))",
    "say(coroutine.resume(coroutine.create(function() error() end)))",
    "local f = coroutine.wrap(function() error('x', 0) end)\nsay(pcall(function() f() end)) say(pcall(f))",
    "local f = coroutine.wrap(function() error('x') end)\nlocal function g() f() return 1 end\nsay(pcall(g))",
    "local f = coroutine.wrap(function() return 1, nil end) say(f()) say(pcall(function() return (f()) end))",
    "for a, b in coroutine.wrap(function() for i = 1, 3 do coroutine.yield(i, i * i) end end) do say(a, b) end",
    "say((pcall(coroutine.resume))) say((pcall(coroutine.create))) say((pcall(coroutine.wrap)))"
    " say(coroutine.isyieldable())",
    "local co = coroutine.create(function() say(pcall(coroutine.yield, 1)) error('after') end)"
    " say(coroutine.resume(co)) say(coroutine.resume(co, 2)) say(coroutine.status(co))",
    "say(select('#', coroutine.resume(coroutine.create(function() coroutine.yield(nil, nil, nil) end))))",
]
CLOSING = [
    "local co = coroutine.create(coroutine.yield) coroutine.resume(co) say(coroutine.close(co))"
    " say(coroutine.status(co)) say(coroutine.resume(co)) say(coroutine.close(co))",
    "local co = coroutine.create(error) say(coroutine.resume(co, 'x')) say(coroutine.close(co))",
    "local co co = coroutine.create(function() say(pcall(coroutine.close, coroutine.running())) end)"
    " say(coroutine.resume(co))",
    "local co = coroutine.wrap(function() say(coroutine.close(coroutine.create(print))) end) co()",
]
SAY = """
local lines = {}
local function say(...)
  local words = { select("#", ...) }
  for i = 1, select("#", ...) do
    local value = select(i, ...)
    words[#words + 1] = type(value) == "thread" and "thread" or tostring(value)
  end
  lines[#lines + 1] = table.concat(words, " ")
end
local b
"""


@pytest.mark.row("C2", "C4")
@pytest.mark.parametrize("text", PLAIN_COROUTINES + CLOSING)
def test_without_a_wait_the_coroutine_library_is_luas_own(lua, text):
    if text in CLOSING and lua != "lua54":
        pytest.skip("lua55 closes the running coroutine too, luajit21 has no coroutine.close of its own")
    source = SAY + text + "\nreturn table.concat(lines, '\\n')"
    raw = importlib.import_module(f"lupa.{lua}").LuaRuntime(encoding=None)
    inside = raw.eval(b"function(text) return coroutine.wrap((loadstring or load)(text, '@chunk'))() end")

    with LuaState(lua) as state:
        ours = state.run(source)

    assert ours == inside(source.encode()).decode()


@pytest.mark.row("C2")
def test_a_running_thread_is_a_task_and_no_main_thread(lua):
    with LuaState(lua) as state:
        assert state.run("return type(coroutine.running()), select('#', coroutine.running())") == ("thread", 1)


def test_easing_curves_start_at_zero_and_end_at_one(world, scripts):
    scripts.write(
        "curves",
        """
        local curves = {}
        function curves:start()
          local names = "quad cubic quart quint sine expo circ back elastic bounce"
          for name in names:gmatch("%a+") do
            for _, way in ipairs({ "in_", "out_", "in-out-" }) do
              task.spawn(function()
                local point = { x = 0 }
                local moving = task.spawn(tween, point, 1, { x = 1 }, way .. name)
                local path = {}
                for i = 1, 8 do
                  wait()
                  path[i] = point.x
                end
                print(way .. name, table.concat(path, " "))
              end)
            end
          end
        end
        return curves
        """,
    )
    world.spawn("curves")

    ticks(world, 9, 0.125)

    assert world.problems == []
    paths = {name: [float(x) for x in path.split()] for name, path in (line.split("\t") for line in said(world))}
    assert len(paths) == 30
    for name, path in paths.items():
        assert path[7] == 1
        if not name.endswith(("back", "elastic", "bounce")):
            assert all(0 <= a <= b <= 1 for a, b in pairwise(path)), name
            half = path[3]
            assert half < 0.5 if name.startswith("in_") else half > 0.5 if name.startswith("out_") else half == 0.5
