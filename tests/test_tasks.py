"""What tasks cost asleep, what an error of one says, how they end, and Lua's own coroutines beside them.

Single behaviours stand in tests/lua/task.
"""

import importlib
from itertools import pairwise

import pytest

from engine import Limits
from engine.lua import runtime
from engine.lua.state import LuaState
from helpers import printed, ticks


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
    assert len(ticked) == len(printed(world)) == 20


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

    assert all("live tasks, the limit (Limits.tasks)" in line for line in printed(world))
    assert entity.actor._runtime.get("bus", "entities")[entity.id][b"task_count"] == 0


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

    assert printed(world) == ["final", "cleaned up", "started by a clean-up", "what a clean-up started is cleaned up"]
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
    paths = {name: [float(x) for x in path.split()] for name, path in (line.split("\t") for line in printed(world))}
    assert len(paths) == 30
    for name, path in paths.items():
        assert path[7] == 1
        if not name.endswith(("back", "elastic", "bounce")):
            assert all(0 <= a <= b <= 1 for a, b in pairwise(path)), name
            half = path[3]
            assert half < 0.5 if name.startswith("in_") else half > 0.5 if name.startswith("out_") else half == 0.5
