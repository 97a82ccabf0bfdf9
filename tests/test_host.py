"""Host modules under every main loop: what scripts call, wait for, and get."""

import asyncio
import threading

import pytest

from engine import HostModule
from engine.app import App
from engine.host import Callback
from helpers import printed, run_child, threads
from host_modules import broken, sums

pytestmark = pytest.mark.row("E4")


@pytest.mark.row("E1")
@pytest.mark.parametrize("name", ["add", "add_later", "add_slowly"])
def test_every_kind_of_function_gives_its_value_to_the_line_that_called_it(play, make_world, scripts, name):
    scripts.write(
        "adder",
        f"""
        local sums = require "sums"
        local adder = {{}}
        function adder:start()
          print(sums.{name}(2, 3), sums.{name}(4))
        end
        return adder
    """,
    )
    world = make_world()
    world.install(sums())
    world.spawn("adder")

    play(world).until(lambda: printed(world))

    assert printed(world) == ["5\t5"]
    assert world.problems == []


@pytest.mark.row("E1")
def test_a_task_waits_while_others_go_on(play, make_world, scripts, doors):
    scripts.write(
        "visitor",
        """
        local doors = require "doors"
        local visitor = {}
        function visitor:start()
          task.spawn(function() print("through " .. doors.wait_for("red")) end)
          task.wait_frames(3)
          print("walked on")
        end
        return visitor
    """,
    )
    world = make_world()
    world.install(doors.module)
    world.spawn("visitor")
    playing = play(world)

    playing.until(lambda: printed(world) and doors.opened)
    before = printed(world)
    doors.open("red")
    playing.until(lambda: len(printed(world)) == 2)

    assert before == ["walked on"]
    assert printed(world) == ["walked on", "through red"]


@pytest.mark.row("E1")
def test_results_come_in_the_order_of_completion(play, make_world, scripts, doors):
    scripts.write(
        "visitor",
        """
        local doors = require "doors"
        local visitor = {}
        function visitor:start()
          for _, name in ipairs({ "red", "green", "blue" }) do
            task.spawn(function() print(doors.wait_for(name)) end)
          end
        end
        return visitor
    """,
    )
    world = make_world()
    world.install(doors.module)
    world.spawn("visitor")
    playing = play(world)
    playing.until(lambda: len(doors.opened) == 3)

    doors.open("blue", "red", "green")
    playing.until(lambda: len(printed(world)) == 3)

    assert printed(world) == ["blue", "red", "green"]


@pytest.mark.row("E2")
def test_three_slow_calls_started_together_take_the_time_of_one(play, make_world, scripts):
    """None ends before all have begun."""
    module = HostModule("slow")
    begun: list[str] = []

    @module.coroutine
    async def nap() -> None:
        begun.append("down")
        while len(begun) < 3:
            await asyncio.sleep(0)

    scripts.write(
        "sleeper",
        """
        local slow = require "slow"
        local sleeper = {}
        function sleeper:start()
          for _ = 1, 3 do
            task.spawn(function() slow.nap() print("up") end)
          end
        end
        return sleeper
    """,
    )
    world = make_world()
    world.install(module)
    world.spawn("sleeper")

    assert play(world).said(3) == ["up"] * 3


@pytest.mark.row("E7")
@pytest.mark.parametrize("name", ["now", "later", "slowly"])
def test_an_error_is_a_string_with_type_message_and_place(play, make_world, scripts, name):
    scripts.write(
        "careful",
        f"""
        local broken = require "broken"
        local careful = {{}}
        function careful:start()
          local ok, message = pcall(function() broken.{name}() end)
          print(ok, message)
        end
        return careful
    """,
    )
    world = make_world()
    world.install(broken())
    world.spawn("careful")

    play(world).until(lambda: printed(world))

    place = f"host_modules.py:{broken.__code__.co_firstlineno + {'now': 6, 'later': 10, 'slowly': 14}[name]}"
    assert printed(world) == [f"false\tscripts/careful.lua:4: broken.{name}: ValueError: no such day ({place})"]
    assert world.problems == []


@pytest.mark.row("E7")
@pytest.mark.parametrize("name", ["now", "later", "slowly"])
def test_an_uncaught_error_is_a_problem_with_both_tracebacks(play, make_world, scripts, name):
    scripts.write(
        "careless",
        f"""
        local broken = require "broken"
        local careless = {{}}
        function careless:start()
          broken.{name}()
        end
        return careless
    """,
    )
    world = make_world()
    world.install(broken())
    world.spawn("careless")

    play(world).until(lambda: world.problems)

    (problem,) = world.problems
    assert (problem.script, problem.line) == ("scripts/careless.lua", 4)
    assert f"broken.{name}: ValueError: no such day" in problem.message
    assert "scripts/careless.lua:4: in" in problem.traceback
    assert f"in {name}\n    raise ValueError" in problem.traceback


@pytest.mark.row("E8")
def test_destroying_the_entity_cancels_its_calls(play, make_world, scripts, doors):
    scripts.write(
        "visitor",
        """
        local doors = require "doors"
        local visitor = {}
        function visitor:start() print(doors.wait_for("red")) end
        return visitor
    """,
    )
    world = make_world()
    world.install(doors.module)
    visitor = world.spawn("visitor")
    playing = play(world)
    playing.until(lambda: doors.opened)

    visitor.destroy()
    playing.until(lambda: doors.given_up)
    playing.frames(3)

    assert doors.given_up == ["red"]
    assert printed(world) == []
    assert world.problems == []
    assert world.stats().calls == 0


@pytest.mark.row("E8")
def test_cancelling_the_task_cancels_its_call(play, make_world, scripts, doors):
    scripts.write(
        "visitor",
        """
        local doors = require "doors"
        local visitor = {}
        function visitor:start()
          local waiting = task.spawn(function() print(doors.wait_for("red")) end)
          bus.on("enough", function() task.cancel(waiting) end)
        end
        return visitor
    """,
    )
    world = make_world()
    world.install(doors.module)
    world.spawn("visitor")
    playing = play(world)
    playing.until(lambda: doors.opened)

    world.bus.emit("enough")
    playing.until(lambda: doors.given_up)

    assert printed(world) == []
    assert world.stats().calls == 0


@pytest.mark.row("E8")
def test_the_answer_to_an_old_version_that_comes_with_the_reload_wakes_nobody(play, make_world, scripts, doors):
    source = """
        local doors = require "doors"
        local visitor = {{}}
        function visitor:start() print("{0}", doors.wait_for("{0}")) end
        return visitor
    """
    scripts.write("visitor", source.format("old"))
    world = make_world()
    world.install(doors.module)
    world.spawn("visitor")
    playing = play(world)
    playing.until(lambda: doors.opened == ["old"])

    scripts.write("visitor", source.format("new"))
    # The answer comes in with the frame of the reload: it must wake neither the old task nor the new one.
    doors.open("old")
    playing.rest_until(lambda: doors.answered == ["old"])
    world.reload("visitor")
    playing.until(lambda: doors.opened == ["old", "new"])
    doors.open("new")

    assert playing.said() == ["new\tnew"]
    assert world.problems == []


@pytest.mark.row("E12")
def test_a_function_among_the_arguments_is_called_back_on_the_ticking_thread(play, make_world, scripts):
    module = HostModule("work")
    seen: list[str] = []

    @module.coroutine
    async def run(steps: int, on_step: Callback) -> str:
        for step in range(steps):
            on_step(step + 1, None, {"of": steps})
        return "done"

    @module.blocking
    def run_slowly(*, on_step: Callback) -> str:
        seen.append(threading.current_thread().name)
        on_step("slowly")
        return "done"

    scripts.write(
        "worker",
        """
        local work = require "work"
        local worker = {}
        function worker:start()
          self.steps = 0
          print(work.run(2, function(step, nothing, more)
            self.steps = self.steps + 1
            print(step, nothing, more.of, self.steps)
          end))
          print(work.run_slowly({ on_step = function(what) wait() print(what) end }))
        end
        return worker
    """,
    )
    world = make_world()
    world.install(module)
    world.spawn("worker")

    play(world).until(lambda: len(printed(world)) == 5)

    assert printed(world) == ["1\tnil\t2\t1", "2\tnil\t2\t2", "done", "done", "slowly"]
    assert all(name.startswith("tidelock-blocking") for name in seen)


def test_a_loop_that_ticks_the_world_runs_its_coroutines_too(make_world, scripts):
    module = HostModule("where")
    seen: list[asyncio.AbstractEventLoop] = []

    @module.coroutine
    async def look() -> None:
        seen.append(asyncio.get_running_loop())

    scripts.write(
        "asker",
        """
        local where = require "where"
        local asker = {}
        function asker:start() where.look() end
        return asker
        """,
    )
    world = make_world()
    world.install(module)
    world.spawn("asker")  # outside the loop: the call begins with the first frame all the same
    before = threads()

    async def main() -> asyncio.AbstractEventLoop:
        while not seen:
            world.tick(1 / 60)
            await asyncio.sleep(0)
        return asyncio.get_running_loop()

    assert asyncio.run(main()) is seen[0]
    assert threads() <= before


def test_the_window_s_own_loops_play_a_game_with_host_calls(make_world, scripts):
    scripts.write(
        "adder",
        """
        local sums = require "sums"
        local adder = {}
        function adder:start()
          print(sums.add_later(2, 3))
          bus.emit("done")
        end
        return adder
        """,
    )
    before = threads()

    def app() -> App:
        world = make_world()
        world.install(sums())
        world.spawn("adder")
        made = App(world, headless=True)
        world.bus.on("done", lambda event: made.stop())
        return made

    inside, plain = app(), app()
    asyncio.run(inside.run_async(frames=10**7))
    plain.run(frames=10**7)

    assert printed(inside.world) == printed(plain.world) == ["5"]
    assert threads() <= before


@pytest.mark.row("E13")
def test_the_package_imports_and_ticks_without_pygame_asyncio_or_threads():
    run_child("""
        import pathlib, sys, tempfile, threading
        import engine
        from engine.host import HostModule

        folder = pathlib.Path(tempfile.mkdtemp())
        (folder / "door.lua").write_text("return { start = function(self) self.open = true end }")
        module = HostModule("quiet")
        module.function(len)
        with engine.World(folder) as world:
            world.spawn("door")
            world.tick(1 / 60)
            slow = "watchfiles importlib.metadata tomllib".split()
            heavy = {"pygame", "asyncio", "httpx", "ssl", *slow} & set(sys.modules)
            assert not heavy, heavy
            world.install(module)
            world.tick(1 / 60)
        assert "pygame" not in sys.modules
        assert threading.active_count() == 1
    """)
