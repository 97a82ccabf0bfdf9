"""Many calls of host modules at once: pools of threads and processes, limits, and their order.

A thousand jobs and ten thousand calls run in each loop under Lua 5.5, and under each Lua in a plain loop; the rest
under all of both.
"""

import os
import threading
import time
from collections import Counter

import pytest

from engine import HostModule, Limits
from helpers import PATIENCE, printed, run_child
from host_loops import LOOPS, each_loop_and_each_lua
from host_modules import caller, sums

pytestmark = pytest.mark.row("E4")


@pytest.mark.row("E5")
@each_loop_and_each_lua
def test_a_thousand_blocking_jobs_never_use_more_than_the_pool(play, make_world, scripts):
    module = HostModule("jobs")
    lock, active, most, names = threading.Lock(), Counter[str](), [0], set[str]()

    @module.blocking
    def work(n: int) -> int:
        with lock:
            active["now"] += 1
            most[0] = max(most[0], active["now"])
            names.add(threading.current_thread().name)
        time.sleep(0.0002)
        with lock:
            active["now"] -= 1
        return n

    scripts.write(
        "caller",
        caller(
            "jobs",
            """
      self.sum = 0
      for i = 1, 1000 do
        task.spawn(function() local n = jobs.work(i) self.sum = self.sum + n end)
      end""",
        ),
    )
    world = make_world(limits=Limits(instructions=None, seconds=None, memory=None, calls=None, threads=3))
    world.install(module)
    entity = world.spawn("caller")

    play(world).until(lambda: world.frame > 1 and world.stats().calls == 0)

    with entity.self.upgrade() as self_:
        assert self_["sum"] == 500_500
    assert most[0] <= 3
    assert len(names) <= 3


@pytest.mark.row("E5")
def test_frames_go_on_while_a_blocking_job_runs(play, world, scripts):
    module = HostModule("jobs")
    enough = threading.Event()

    @module.blocking
    def work() -> bool:
        return enough.wait(PATIENCE / 2)

    scripts.write("caller", caller("jobs", "print(jobs.work())"))
    world.install(module)
    world.spawn("caller")
    playing = play(world)

    playing.frames(21)  # the first one begins the call
    meanwhile = printed(world)
    enough.set()

    assert meanwhile == []
    assert playing.said() == ["true"]


@pytest.mark.row("E5")
@pytest.mark.parametrize("loop", LOOPS)
def test_work_for_a_process_runs_in_another_one_and_its_errors_come_back(tmp_path, loop):
    (tmp_path / "work.py").write_text(WORK)
    (tmp_path / "scripts").mkdir()
    (tmp_path / "scripts/caller.lua").write_text(
        caller("work", "print(work.pid()) print(pcall(work.fail)) print(pcall(work.die)) print(work.pid()) work.fail()")
    )
    done = run_child(f"LOOP = {loop!r}\n{PLAY}", cwd=tmp_path)

    lines = done.stdout.splitlines()
    assert lines[0] == lines[3] != str(os.getpid()) and "parent" not in lines[0]
    assert lines[1] == "false\twork.fail: ZeroDivisionError: division by zero (work.py:13)"
    assert lines[2] == "false\twork.die: the process that ran it ended"
    assert "ZeroDivisionError" in done.stdout.split("PROBLEM")[1]


WORK = """
import os
from engine import HostModule

work = HostModule("work")

@work.blocking(process=True)
def pid() -> str:
    return "parent" if os.environ.get("PARENT") == str(os.getpid()) else "child"

@work.blocking(process=True)
def fail() -> float:
    return 1 / 0

@work.blocking(process=True)
def die() -> None:
    os._exit(3)
"""

PLAY = """
import asyncio, os, time
from engine import World
import work

async def play(world):
    while not world.problems:
        world.tick(1 / 60)
        await asyncio.sleep(0.001)

if __name__ == "__main__":
    os.environ["PARENT"] = str(os.getpid())
    with World("scripts") as world:
        world.install(work.work)
        world.spawn("caller")
        frame = lambda: world.tick(1 / 60)
        if LOOP == "asyncio":
            asyncio.run(play(world))
        elif LOOP == "pygame":
            from engine.app import App

            app = App(world, headless=True)
            frame = lambda: app.step(1 / 60)
        while not world.problems:
            frame()
            time.sleep(0.001)
        for line in world.log:
            print(line.text)
        print("PROBLEM", world.problems[0].traceback)
"""


@pytest.mark.row("E6")
@pytest.mark.parametrize("whose", ["of the world", "of the script"])
def test_an_entity_has_a_bounded_number_of_calls_under_way_and_the_rest_wait_in_order(
    play, make_world, scripts, doors, whose
):
    scripts.write(
        "caller",
        caller(
            "doors",
            """
      for _, name in ipairs({ "a", "b", "c", "d" }) do
        task.spawn(function() print(doors.wait_for(name)) end)
      end""",
        ),
    )
    two = Limits(instructions=None, seconds=None, memory=None, calls=2)
    world = make_world(limits=two if whose == "of the world" else two.but(calls=None))
    world.limit("caller", two)
    world.install(doors.module)
    world.spawn("caller")
    playing = play(world)

    playing.until(lambda: len(doors.opened) == 2)
    playing.frames(5)
    first = list(doors.opened)
    doors.open("b")
    playing.until(lambda: len(doors.opened) == 3)
    playing.frames(5)
    doors.open("a", "c")
    playing.until(lambda: len(doors.opened) == 4)

    assert first == ["a", "b"]
    assert doors.opened == ["a", "b", "c", "d"]


@pytest.mark.row("E6")
def test_the_world_has_a_bound_too_and_one_greedy_entity_leaves_room_for_others(play, make_world, scripts, doors):
    scripts.write(
        "greedy",
        caller(
            "doors",
            """
      for i = 1, 100 do
        task.spawn(function() doors.wait_for("greedy " .. i) end)
      end""",
        ),
    )
    scripts.write(
        "modest",
        caller(
            "doors",
            """
      task.spawn(function() doors.wait_for("modest 1") end)
      task.spawn(function() doors.wait_for("modest 2") end)""",
        ),
    )
    world = make_world(limits=Limits(instructions=None, seconds=None, memory=None, calls=2, world_calls=3))
    world.install(doors.module)
    world.spawn("greedy")
    world.spawn("modest")
    playing = play(world)

    playing.until(lambda: len(doors.opened) == 3)
    playing.frames(5)
    first = list(doors.opened)
    doors.open("greedy 1")
    playing.until(lambda: len(doors.opened) == 4)

    assert first == ["greedy 1", "greedy 2", "modest 1"]
    assert doors.opened[3] == "modest 2"
    assert world.stats().calls == 101


@pytest.mark.row("E6", "E8")
def test_cancelled_calls_that_wait_for_their_turn_never_begin(play, make_world, scripts, doors):
    scripts.write(
        "caller",
        caller(
            "doors",
            """
      local waiting = {}
      for i = 1, 5 do
        waiting[i] = task.spawn(function() doors.wait_for("door " .. i) end)
      end
      bus.on("enough", function()
        for i = 1, 4 do task.cancel(waiting[i]) end
      end)""",
        ),
    )
    world = make_world(limits=Limits(instructions=None, seconds=None, memory=None, calls=1))
    world.install(doors.module)
    world.spawn("caller")
    playing = play(world)
    playing.until(lambda: doors.opened)

    world.bus.emit("enough")
    playing.until(lambda: len(doors.opened) == 2)

    assert doors.opened == ["door 1", "door 5"]
    assert doors.given_up == ["door 1"]


@pytest.mark.row("E6")
@each_loop_and_each_lua
def test_ten_thousand_calls_at_once_all_get_their_own_answer(play, world, scripts):
    world.install(sums())
    scripts.write(
        "caller",
        caller(
            "sums",
            """
      self.right, self.wrong = 0, 0
      for i = 1, 10000 do
        task.spawn(function()
          if sums.add_later(i, 1) == i + 1 then
            self.right = self.right + 1
          else
            self.wrong = self.wrong + 1
          end
        end)
      end""",
        ),
    )
    entity = world.spawn("caller")
    assert world.stats().calls == 10_000

    playing = play(world)
    playing.until(lambda: world.stats().calls == 0)
    playing.frames(1)

    with entity.self.upgrade() as self_:
        assert (self_["right"], self_["wrong"]) == (10_000, 0)
    assert world.problems == []
