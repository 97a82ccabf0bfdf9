"""Many entities in one state: their order, what they do to each other within a tick, who is told to have moved."""

import dataclasses

import pytest

from engine import Limits
from helpers import run_child, ticks

pytestmark = pytest.mark.parametrize("isolation", ["script"], indirect=True)

WALKER = """
local walker = {}
function walker:start()
  self.x, self.y = entity.id, 0
  while true do
    wait()
    self.x = self.x + 1
    bus.emit("ran", entity.id)
    if self.what then self:what_now() end
  end
end
function walker:what_now() end
return walker
"""


def said(world, name):
    payloads = []
    world.bus.on(name, lambda event: payloads.append(event.payload))
    return payloads


def spawn(world, count, script="walker"):
    return [world.spawn(script) for _ in range(count)]


def places(entities):
    return [entity.position for entity in entities]


def test_tasks_run_in_the_order_in_which_they_went_to_sleep(world, scripts):
    scripts.write(
        "late",
        """
        local late = {}
        function late:start()
          wait_more = entity.id == 2
          while true do
            wait()
            bus.emit("ran", entity.id)
            if wait_more then wait_more = false wait(0.15) end
          end
        end
        return late
        """,
    )
    spawn(world, 4, "late")
    ran = said(world, "ran")

    for _ in range(5):
        world.tick(0.1)

    assert ran == [1, 2, 3, 4, *[1, 3, 4] * 2, *[1, 3, 4, 2] * 2]


def test_a_task_that_cancels_the_next_one_in_the_list_keeps_it_from_running(world, scripts):
    scripts.write(
        "pair",
        """
        local pair = {}
        function pair:start()
          local second
          task.spawn(function()
            wait()
            wait()
            bus.emit("ran", "first " .. entity.id)
            task.cancel(second)
          end)
          second = task.spawn(function()
            while true do wait() bus.emit("ran", "second " .. entity.id) end
          end)
        end
        return pair
        """,
    )
    spawn(world, 2, "pair")
    ran = said(world, "ran")

    ticks(world, 4)

    assert ran == ["second 1", "second 2", "first 1", "first 2"]


def test_a_task_that_cancels_one_that_ran_before_it_ends_it(world, scripts):
    scripts.write(
        "pair",
        """
        local pair = {}
        function pair:start()
          local first = task.spawn(function()
            while true do wait() bus.emit("ran", "first " .. entity.id) end
          end)
          task.spawn(function() wait() wait() task.cancel(first) bus.emit("ran", "second " .. entity.id) end)
        end
        return pair
        """,
    )
    spawn(world, 2, "pair")
    ran = said(world, "ran")

    ticks(world, 4)

    assert ran == ["first 1", "first 2", "first 1", "second 1", "first 2", "second 2"]


def test_a_task_that_cancels_itself_ends_there_and_the_others_run(world, scripts):
    scripts.write(
        "tired",
        """
        local tired = {}
        function tired:start()
          while true do
            wait()
            if entity.id == 2 then task.cancel(coroutine.running()) end
            bus.emit("ran", entity.id)
          end
        end
        return tired
        """,
    )
    spawn(world, 3, "tired")
    ran = said(world, "ran")

    ticks(world, 2)

    assert ran == [1, 3, 1, 3]


def test_what_a_task_spawns_runs_at_once_and_waits_before_it(world, scripts):
    scripts.write(
        "parent",
        """
        local parent = {}
        function parent:start()
          wait()
          bus.emit("ran", "parent " .. entity.id)
          task.spawn(function()
            while true do bus.emit("ran", "child " .. entity.id) wait() end
          end)
          while true do wait() bus.emit("ran", "parent " .. entity.id) end
        end
        return parent
        """,
    )
    spawn(world, 2, "parent")
    ran = said(world, "ran")

    ticks(world, 2)

    once = ["parent 1", "child 1", "parent 2", "child 2"]
    assert ran == [*once, "child 1", "parent 1", "child 2", "parent 2"]


def test_arguments_and_results_of_tasks_survive_the_next_frame(world, scripts):
    scripts.write(
        "asker",
        """
        local asker = {}
        function asker:start()
          local future = async.start(function(a, b) wait() return a, nil, b, a + b end, 1, 2)
          task.spawn(function()
            bus.emit("ran", { n = select("#", future:await()), last = select(4, future:await()) })
          end)
          while true do wait() end
        end
        return asker
        """,
    )
    spawn(world, 2, "asker")
    ran = said(world, "ran")

    ticks(world, 3)

    assert ran == [{"n": 4, "last": 3}] * 2


def test_an_error_ends_one_task_and_the_others_go_on(world, scripts):
    scripts.write(
        "fragile",
        """
        local fragile = {}
        function fragile:start()
          self.x, self.y = 0, 0
          while true do
            wait()
            self.x = self.x + 1
            if entity.id == 2 and self.x == 2 then error("broken") end
          end
        end
        return fragile
        """,
    )
    walkers = spawn(world, 3, "fragile")

    ticks(world, 3)

    assert places(walkers) == [(3, 0), (2, 0), (3, 0)]
    assert [(problem.entity, problem.line) for problem in world.problems] == [(2, 7)]


def test_an_entity_destroyed_in_the_middle_of_a_tick_is_gone_in_the_next(world, scripts):
    scripts.write("walker", WALKER.replace("function walker:what_now() end", ""))
    scripts.write(
        "killer",
        """
        local killer = {}
        function killer:start() wait() entity.destroy(2) end
        return killer
        """,
    )
    walkers = spawn(world, 3)
    world.spawn("killer")
    ran = said(world, "ran")

    ticks(world, 3)

    assert ran == [1, 2, 3, 1, 3, 1, 3]
    assert [walker.alive for walker in walkers] == [True, False, True]
    assert places(walkers) == [(4, 0), (3, 0), (6, 0)]


def test_a_place_that_was_left_is_given_to_the_next_entity(world, scripts):
    scripts.write("walker", WALKER)
    walkers = spawn(world, 3)
    ticks(world, 1)

    walkers[1].destroy()
    walkers.append(world.spawn("walker"))
    ticks(world, 1)

    assert places(walkers) == [(3, 0), (3, 0), (5, 0), (5, 0)]


def test_the_last_of_many_still_moves(world, scripts):
    scripts.write("walker", WALKER)
    walkers = spawn(world, 3)

    for walker in walkers[:2]:
        walker.destroy()
    ticks(world, 2)

    assert walkers[2].position == (5, 0)


@pytest.mark.parametrize("count", [2, 5, 1500])
def test_each_of_few_and_many_is_where_its_script_says(world, scripts, count):
    scripts.write("walker", "local w = {} function w:start() while true do wait() self.x = self.x + 1 end end return w")
    walkers = [world.spawn("walker", x=i, y=0.5) for i in range(count)]

    ticks(world, 2)

    assert places(walkers) == [(i + 2, 0.5) for i in range(count)]


def test_places_come_behind_what_else_a_long_tick_tells(world, scripts):
    scripts.write(
        "teller",
        """
        local teller = {}
        function teller:start()
          while true do
            wait()
            self.x = self.x + 1
            for i = 1, 5 do bus.emit("told", { i, self.x, entity.id }) end
          end
        end
        return teller
        """,
    )
    tellers = [world.spawn("teller", x=0, y=0) for _ in range(300)]
    told = said(world, "told")

    ticks(world, 2)

    assert places(tellers) == [(2, 0)] * 300
    assert told == [[i, x, teller.id] for x in (1, 2) for teller in tellers for i in range(1, 6)]


MOVERS = {
    "a handler": 'bus.on("go", function() self.x = 5 end)',
    "a timer": "task.delay(0.05, function() self.x = 5 end)",
    "a deferred task": 'bus.on("go", function() task.defer(function() self.x = 5 end) end)',
    "a coroutine inside a task": "task.spawn(coroutine.wrap(function() wait() self.x = 5 end))",
    "a task that then ends": "task.spawn(function() wait() self.x = 5 end)",
    "a task that then fails": "task.spawn(function() wait() self.x = 5 error('x') end)",
    "a task that is cancelled then": """
      local mover = task.spawn(function() while true do wait() self.x = 5 end end)
      task.spawn(function() wait() task.cancel(mover) end)""",
    "a clean-up": """
      local mover = task.spawn(function() task.finally(function() self.x = 5 end) wait(9) end)
      wait()
      task.cancel(mover)""",
    "a condition": "task.wait_until(function() self.x = 5 return time.now > 0.05 end)",
    "an answer": 'bus.handle("where", function() self.x = 5 return true end)',
}


@pytest.mark.parametrize("how", MOVERS)
def test_whoever_moved_is_told_in_the_same_frame(world, scripts, how):
    scripts.write("still", f"local still = {{}} function still:start() {MOVERS[how]} end return still")
    entities = [world.spawn("still", x=1, y=2) for _ in range(3)]
    world.tick(0.1)

    world.bus.emit("go")
    for entity in entities:
        world.bus.request(entity, "where")
    world.tick(0.1)

    assert places(entities) == [(5, 2)] * 3


@pytest.mark.parametrize("hook", ["update", "fixed_update", "late_update"])
def test_hooks_of_every_frame_move_their_entities(world, scripts, hook):
    scripts.write("mover", f"local m = {{}} function m:{hook}(dt) self.x = self.x + 1 end return m")
    movers = [world.spawn("mover", x=0, y=0) for _ in range(3)]

    ticks(world, 4)

    assert places(movers) == [(4, 0)] * 3


def test_who_did_not_run_stays_and_who_did_is_told(world, scripts):
    scripts.write(
        "one",
        """
        local one = {}
        function one:start()
          while self.x == 7 do wait() self.y = self.y + 1 end
        end
        return one
        """,
    )
    entities = [world.spawn("one", x=i, y=0) for i in range(10)]

    ticks(world, 3)

    assert places(entities) == [(i, 3 if i == 7 else 0) for i in range(10)]


def test_what_python_sets_is_told_in_the_next_frame(world, scripts):
    scripts.write("still", "return {}")
    entities = [world.spawn("still", x=i, y=0) for i in range(3)]
    ticks(world, 1)

    with entities[1].self.upgrade() as self_:
        self_["x"] = 40
    ticks(world, 1)

    assert places(entities) == [(0, 0), (40, 0), (2, 0)]


def test_one_that_python_gave_another_may_move_it(world, scripts):
    scripts.write(
        "puller",
        """
        local puller = {}
        function puller:start()
          while true do
            wait()
            if self.other then self.other.x = self.other.x + 1 end
          end
        end
        return puller
        """,
    )
    puller, pulled = (world.spawn("puller", x=0, y=0) for _ in range(2))
    with puller.self.upgrade() as self_, pulled.self.upgrade() as other:
        self_["other"] = other

    ticks(world, 3)

    assert pulled.position == (3, 0)


def test_a_place_that_is_none_is_not_told(world, scripts):
    scripts.write(
        "odd",
        """
        local odd = { x = 9 }
        function odd:start() wait() self.x = self.odd wait() self.x = { 1 } wait() self.x = "7" wait() self.x = 2 end
        return odd
        """,
    )
    entities = [world.spawn("odd", x=1, y=1) for _ in range(2)]

    told = []
    for _ in range(4):
        ticks(world, 1)
        told.append(entities[0].position)

    assert told == [(1, 1), (1, 1), (1, 1), (2, 1)]


def test_what_a_script_puts_over_its_class_is_not_called_to_find_a_place(world, scripts):
    scripts.write(
        "tricky",
        """
        local tricky = {}
        function tricky:start()
          setmetatable(tricky, { __index = function(_, key) bus.emit("asked", key) return 3 end })
          wait()
          self.y = 8
        end
        return tricky
        """,
    )
    entities = [world.spawn("tricky", x=i) for i in range(2)]
    asked = said(world, "asked")

    ticks(world, 2)

    assert asked == []
    assert places(entities) == [(0, 8), (1, 8)]


def test_what_a_window_shows_is_told_of_each(world, scripts):
    scripts.write(
        "shown",
        "local shown = {} function shown:start() wait() self.sprite, self.frame = 'slime', entity.id end return shown",
    )
    entities = [world.spawn("shown", x=1, y=1) for _ in range(3)]

    ticks(world, 2)

    assert [entity.view for entity in entities] == [{"sprite": "slime", "frame": id} for id in (1, 2, 3)]


def test_an_update_that_fails_is_called_again_and_keeps_no_other_from_running(world, scripts):
    scripts.write(
        "shaky",
        """
        local shaky = {}
        function shaky:update()
          self.x = self.x + 1
          if entity.id == 2 and self.x % 2 == 1 then error("odd") end
        end
        return shaky
        """,
    )
    entities = [world.spawn("shaky", x=0, y=0) for _ in range(4)]

    ticks(world, 4)

    assert places(entities) == [(4, 0)] * 4
    assert [(problem.entity, problem.count) for problem in world.problems] == [(2, 2)]


def test_an_update_that_always_fails_is_paused_and_the_others_are_not(make_world, scripts, lua):
    scripts.write(
        "shaky",
        "local s = {} function s:update() self.x = self.x + 1 if entity.id == 1 then error('no') end end return s",
    )
    limits = Limits.off() if lua == "luajit21" else Limits()
    world = make_world(limits=dataclasses.replace(limits, errors=3))
    entities = [world.spawn("shaky", x=0, y=0) for _ in range(3)]

    ticks(world, 6)

    assert places(entities) == [(3, 0), (6, 0), (6, 0)]


def test_an_update_that_waits_is_an_error_that_names_it(world, scripts):
    scripts.write(
        "waiter", "local w = {} function w:update() self.x = self.x + 1 while entity.id == 1 do wait() end end return w"
    )
    entities = [world.spawn("waiter", x=0, y=0) for _ in range(2)]

    ticks(world, 2)

    assert places(entities) == [(2, 0)] * 2
    assert [problem.entity for problem in world.problems] == [1]
    assert world.problems[0].message.startswith("wait: update cannot wait, it must end within the frame")


def test_an_update_that_yields_or_cancels_itself_ends_alone(world, scripts):
    scripts.write(
        "odd",
        """
        local odd = {}
        function odd:update()
          self.x = self.x + 1
          if entity.id == 1 then coroutine.yield(1) end
          if entity.id == 2 then task.cancel(coroutine.running()) end
          if entity.id == 3 then task.finally(function() self.y = self.y + 1 end) end
          if entity.id == 4 then task.spawn(function() wait() self.y = self.y + 1 end) end
          self.done = self.x
        end
        return odd
        """,
    )
    entities = [world.spawn("odd", x=0, y=0) for _ in range(5)]

    ticks(world, 3)

    assert places(entities) == [(3, 0), (3, 0), (3, 3), (3, 2), (3, 0)]
    assert [problem.entity for problem in world.problems] == [1]
    with entities[4].self.upgrade() as self_:
        assert self_["done"] == 3


def test_an_update_knows_whose_it_is(world, scripts):
    scripts.write(
        "who",
        """
        local who = {}
        function who:update() bus.send(entity.id, "me") end
        function who:on_event(event) self.x = event.sender end
        return who
        """,
    )
    entities = [world.spawn("who", x=0, y=0) for _ in range(3)]

    ticks(world, 2)

    assert places(entities) == [(1, 0), (2, 0), (3, 0)]


IN_A_TASK = "function s:start() while true do wait() self:step() end end"
IN_A_HOOK = "function s:update() self:step() end"


@pytest.mark.parametrize("body", [IN_A_TASK, IN_A_HOOK])
def test_a_stop_at_a_limit_ends_one_task_and_the_rest_of_the_list_runs(make_world, scripts, lua, body):
    if lua == "luajit21":
        pytest.skip("compiled loops cannot be stopped: for trusted scripts only")
    scripts.write(
        "busy",
        f"""
        local s = {{}}
        function s:step()
          if entity.id == 3 and time.frame == 3 then while true do end end
          self.x = self.x + 1
        end
        {body}
        return s
        """,
    )
    world = make_world(limits=Limits(instructions=200_000))
    entities = [world.spawn("busy", x=0, y=0) for _ in range(6)]

    ticks(world, 3)

    moved = [entity.position[0] for entity in entities]
    assert moved[:2] + moved[3:] == [max(moved)] * 5
    assert moved[2] == max(moved) - 1
    assert ["Limits.instructions" in problem.message for problem in world.problems] == [True]


def test_the_digest_is_the_same_with_any_number_of_workers(make_world, scripts):
    scripts.write("walker", WALKER)
    scripts.write("drifter", "local d = {} function d:update(dt) self.x = self.x + dt end return d")

    def play(workers):
        world = make_world(seed=3, workers=workers)
        for i in range(20):
            world.spawn("walker")
            world.spawn("drifter", x=i, y=0)
        ticks(world, 5)
        return world.stats().digest

    assert play(0) == play(2)


def test_frames_of_many_that_wait_leave_no_garbage(lua, isolation):
    run_child(
        f"""
        import gc, pathlib, tempfile
        from engine import World
        folder = pathlib.Path(tempfile.mkdtemp())
        (folder / "walker.lua").write_text(
            "local w = {{}} function w:start() while true do self.x = self.x + 0.5 wait() end end return w")
        with World(folder, lua={lua!r}, isolation={isolation!r}) as world:
            walkers = [world.spawn("walker", x=0.0, y=0.0) for _ in range(1000)]
            world.tick(1 / 60)
            actor = walkers[0].actor
            actor.function("handles", "collect")()
            for _ in range(100):  # the collector has made the threads small, and their hooks make them grow
                world.tick(1 / 60)
            before = actor.memory
            for _ in range(20):
                world.tick(1 / 60)
            assert actor.memory - before < 40_000, actor.memory - before  # two bytes for each wait
            assert walkers[-1].position == (61.0, 0.0), walkers[-1].position
        """
    )


def test_one_born_or_gone_among_many_that_move_changes_no_other_place(world, scripts):
    scripts.write("mover", "local m = {} function m:update() self.x = self.x + 1 end return m")
    movers = [world.spawn("mover", x=100 * i, y=i) for i in range(20)]
    ticks(world, 4)

    movers[5].destroy()
    ticks(world, 2)
    movers.append(world.spawn("mover", x=2000, y=20))
    ticks(world, 3)

    lived = [4 if i == 5 else 3 if i == 20 else 9 for i in range(21)]
    assert places(movers) == [(100 * i + lived[i], i) for i in range(21)]


def test_who_moves_alone_among_many_is_told_alone(world, scripts):
    scripts.write(
        "mover",
        "local m = {} function m:update() if self.y == 3 or time.frame < 5 then self.x = self.x + 1 end end return m",
    )
    movers = [world.spawn("mover", x=0, y=i) for i in range(20)]

    ticks(world, 8)

    assert places(movers) == [(8 if i == 3 else 4, i) for i in range(20)]


def test_one_without_a_place_among_many_has_none(world, scripts):
    scripts.write("mover", "local m = {} function m:update() if self.x then self.x = self.x + 1 end end return m")
    movers = [world.spawn("mover", y=i, **({} if i == 3 else {"x": 0})) for i in range(20)]

    ticks(world, 4)

    assert places(movers) == [None if i == 3 else (4, i) for i in range(20)]


def test_places_stay_over_a_reload(world, scripts):
    text = "local m = {} function m:update() self.x = self.x + 1 end return m"
    scripts.write("mover", text)
    movers = [world.spawn("mover", x=0, y=i) for i in range(20)]
    ticks(world, 4)

    scripts.write("mover", text.replace("+ 1", "+ 10"))
    world.reload("mover")
    before = places(movers)
    ticks(world, 3)

    assert before == [(4, i) for i in range(20)]
    assert len(set(places(movers))) == 20
    assert {x % 10 for x, _ in places(movers)} == {4}
    assert {x for x, _ in places(movers)} <= {24, 34}


def test_each_has_its_own_globals_and_locals_of_the_file_though_the_code_is_shared(world, scripts):
    scripts.write(
        "counter",
        """
        local counter, n = {}, 0 -- a comment ends the file
        function counter:update() n, total = n + 1, (total or 0) + entity.id self.x, self.y = n, total end
        return counter -- here""",
    )
    counters = [world.spawn("counter") for _ in range(4)]

    ticks(world, 3)

    assert places(counters) == [(3, 3 * counter.id) for counter in counters]


def test_a_script_that_gives_no_table_says_the_same_of_each(world, scripts):
    scripts.write("odd", "local made = entity.id == 1 and {} or nil\n\nreturn made\n")

    for _ in range(3):
        world.spawn("odd")

    assert [problem.message for problem in world.problems] == [world.problems[0].message]
    assert world.problems[0].count == 2


@pytest.mark.usefixtures("unhurried")
def test_many_in_a_state_of_another_process_are_where_their_script_says(make_world, scripts, lua):
    scripts.write(
        "mover",
        "local m = { isolation = 'script' } function m:update() self.x = self.x + 1 end return m",
    )
    world = make_world(isolation="process", limits=Limits.off() if lua == "luajit21" else None)
    movers = [world.spawn("mover", x=0, y=i) for i in range(20)]

    ticks(world, 4)
    movers[3].destroy()
    ticks(world, 2)

    assert places(movers) == [(4 if i == 3 else 6, i) for i in range(20)]


def test_a_task_that_wakes_sleeping_ones_beside_those_of_every_frame_is_noted(world, scripts):
    scripts.write(
        "sleeper",
        """
        local sleeper = {}
        function sleeper:start()
          while true do
            wait(entity.id == 2 and 0 or 0.05)
            self.x = self.x + 1
          end
        end
        return sleeper
        """,
    )
    sleepers = [world.spawn("sleeper", x=0, y=0) for _ in range(4)]

    ticks(world, 12, 0.02)

    assert places(sleepers) == [(4, 0), (12, 0), (4, 0), (4, 0)]


def test_one_that_has_done_nothing_else_can_be_ended_by_what_it_starts(world, scripts):
    scripts.write(
        "tired",
        """
        local tired = {}
        function tired:start()
          local me, frames = coroutine.running(), 0
          task.finally(function() bus.emit("ended", entity.id) end)
          while true do
            wait()
            frames = frames + 1
            if frames == 3 and entity.id == 2 then
              task.spawn(function() task.cancel(me) end)
              bus.emit("before", entity.id)
            end
            self.x, self.y = frames, 0
          end
        end
        return tired
        """,
    )
    walkers = spawn(world, 3, "tired")
    ended, before = said(world, "ended"), said(world, "before")

    ticks(world, 6)

    assert (ended, before) == ([2], [2])
    assert [x for x, _ in places(walkers)] == [6, 3, 6]


def test_a_task_that_ended_behind_others_is_not_run_and_those_behind_it_are(world, scripts):
    scripts.write(
        "row",
        """
        local row = {}
        function row:start()
          local me = task.spawn(function()
            while true do wait() bus.emit("ran", entity.id) end
          end)
          bus.on("fall", function(event)
            if event.payload == entity.id then task.cancel(me) end
          end)
        end
        return row
        """,
    )
    spawn(world, 4, "row")
    ticks(world, 3)
    ran = said(world, "ran")

    world.bus.emit("fall", 2)
    ticks(world, 2)

    assert ran == [1, 3, 4] * 2


def test_a_waiting_task_that_another_goes_on_with_runs_once_in_that_frame(world, scripts):
    scripts.write(
        "pair",
        """
        local pair = {}
        function pair:start()
          local second
          task.spawn(function()
            for _ = 1, 3 do wait() end
            task.spawn(second)
          end)
          second = task.spawn(function()
            while true do wait() bus.emit("ran", entity.id) end
          end)
        end
        return pair
        """,
    )
    spawn(world, 2, "pair")
    ran = said(world, "ran")

    ticks(world, 5)

    assert sorted(ran) == [1] * 5 + [2] * 5


@pytest.mark.parametrize("lua", ["lua55", "lua54"])
def test_who_has_no_turn_after_too_many_stops_has_it_in_the_next_frame(make_world, scripts):
    scripts.write(
        "crowded",
        """
        local crowded = {}
        function crowded:start()
          self.x, self.y = 0, 0
          wait()
          while entity.id <= 8 do end
          while true do self.x = self.x + 1 wait() end
        end
        return crowded
        """,
    )
    world = make_world(limits=Limits(instructions=20_000))
    walkers = spawn(world, 10, "crowded")

    moved = []
    for _ in range(3):
        world.tick(1 / 60)
        moved.append([x for x, _ in places(walkers)][8:])

    assert moved == [[0, 0], [1, 1], [2, 2]]
    assert sum(problem.count for problem in world.problems) == 8


@pytest.mark.row("A6")
def test_a_wait_for_an_event_is_of_the_entity_that_waits_whoever_waited_in_that_thread_before(world, scripts):
    scripts.write(
        "guard",
        """
        local guard = {}
        function guard:start()
          bus.on("noise", function() end)
          bus.on("watch", function() task.wait_event("alarm") print("awake", entity.id) end)
        end
        return guard
        """,
    )
    first, second = world.spawn("guard"), world.spawn("guard")
    world.bus.send(first, "watch")
    world.bus.emit("noise")
    world.tick(0.1)

    world.bus.emit("alarm")
    world.bus.send(second, "watch")  # the thread of the first is free again
    world.tick(0.1)
    first.destroy()
    world.bus.emit("alarm")
    world.tick(0.1)

    assert [line.text for line in world.log] == [f"awake\t{first.id}", f"awake\t{second.id}"]


def test_what_has_ended_is_let_go_of_while_the_others_only_wait(world, scripts):
    scripts.write(
        "heavy",
        """
        local heavy = {}
        function heavy:start()
          local load = string.rep("x", 1e6) .. entity.id
          while true do wait() self.x = #load end
        end
        return heavy
        """,
    )
    carriers = spawn(world, 8, "heavy")
    ticks(world, 4)

    for carrier in carriers[:4]:
        carrier.destroy()
    ticks(world, 4)

    actor = carriers[7].actor
    actor.function("memory", "collect")()
    assert actor.memory < 6_000_000
