"""Delays, periods and their clocks: when each is due, in which order, and what is kept of those that are over."""

import gc

import pytest

from engine import Limits
from helpers import PATIENCE, printed, run_child, ticks

BALLAST = 500_000
"""Bytes that an entity's script keeps in use, at the least."""


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
        return [line.split("\t") for line in printed(world)]

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

    fired = [[int(value) for value in line.split("\t")] for line in printed(world)]

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

    assert printed(world) == [f"{i}\t1" for i in range(1, handlers + 1)]


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

    assert printed(world) == [f"kept{entity.id}"]


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
    assert printed(world) == []


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
    after_the_long_frame = [line.replace(".0", "") for line in printed(world)]
    world.log.clear()
    world.tick(0.25)

    assert after_the_long_frame == ["every\t4.75", "waited\t5", "timer\t1", "timer\t2", "timer\t3"]
    assert [line.replace("0.0", "0") for line in printed(world)] == ["every\t0"]


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

    assert [line for line in printed(world) if "game" in line] == [f"game\t{frame}" for frame in (4, 14, 16, 24)]
    assert [line for line in printed(world) if "menu" in line] == [f"menu\t{frame}" for frame in range(4, 25, 4)]
    for entity, steps in ((game, 4 + 8 + 4), (menu, 24)):
        with entity.self.upgrade() as self_:
            assert self_["steps"] == steps


@pytest.mark.parametrize("isolation", ["entity", "script", "process"])
def test_fixed_update_is_told_the_step_that_holds_also_where_it_changed(make_world, scripts, isolation):
    scripts.write("ball", "return { fixed_update = function(_, dt) print(entity.id, dt) end }")
    world = make_world(isolation=isolation)
    world.spawn("ball")
    if isolation != "process":
        world.warm(1)
    world.tick(1 / 60)

    world.fixed_step = 0.25
    world.spawn("ball")
    world.tick(0.5)
    world.spawn("ball")
    world.tick(0.25)

    assert sorted(printed(world)[1:]) == [*["1\t0.25"] * 3, *["2\t0.25"] * 3, "3\t0.25"]


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
    while_paused = printed(world)

    world.time_scale = 1
    world.tick(0.25)

    assert len(while_paused) == 1
    assert printed(world)[1:] == ["goes on\t0.25"]


@pytest.mark.row("B9")
def test_a_paused_world_still_runs_late_update_so_that_it_can_be_drawn(world, scripts):
    scripts.write("hud", "return { late_update = function(_, dt) print(dt) end, update = function() print('no') end }")
    world.spawn("hud")
    world.time_scale = 0

    ticks(world, 2)

    assert [float(line) for line in printed(world)] == [0, 0]
