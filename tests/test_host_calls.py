"""Calls of host modules under way: limits, pools, time-outs, cancellation, and the end of their world."""

import asyncio
import gc
import os
import threading
import time
from collections import Counter
from collections.abc import Iterator

import pytest

from engine import EngineError, HostModule, Limits, ScriptError, World
from engine.host import Callback
from helpers import run_child, ticks
from host_loops import LOOPS, Plain, Play, play_in, printed, threads
from host_modules import Doors, broken, sums

CALLER = """
    local {module} = require "{module}"
    local caller = {{}}
    function caller:start()
      {body}
    end
    return caller
"""


def caller(module: str, body: str) -> str:
    """A script that requires `module` and runs `body` when it starts."""
    return CALLER.format(module=module, body=body)


@pytest.fixture
def doors() -> Doors:
    return Doors()


@pytest.fixture(params=LOOPS)
def play(request: pytest.FixtureRequest) -> Iterator[Play]:
    """Plays a world in each kind of main loop."""
    with play_in(request.param) as made:
        yield made


@pytest.fixture
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    """An asyncio loop that runs on a thread of its own, as a server inside a game might."""
    made = asyncio.new_event_loop()
    thread = threading.Thread(target=made.run_forever)
    thread.start()
    yield made
    made.call_soon_threadsafe(made.stop)
    thread.join()
    made.close()


@pytest.mark.row("E1")
def test_require_fails_before_a_module_is_installed_and_after_it_is_uninstalled(world, scripts):
    scripts.write("caller", caller("sums", "print(sums.add(1))"))

    world.spawn("caller")
    before = [problem.message for problem in world.problems]
    world.install(sums())
    world.spawn("caller")
    world.uninstall("sums")
    world.spawn("caller")

    assert before == ["require: there is no library or host module 'sums'"]
    assert printed(world) == ["2"]
    assert world.problems[0].count == 2


@pytest.mark.row("E1")
def test_a_library_of_the_scripts_wins_over_a_host_module_of_its_name(world, scripts):
    scripts.write("sums", "return { add = function(a) return a + 100 end }")
    scripts.write("caller", caller("sums", "print(sums.add(1))"))
    world.install(sums())

    world.spawn("caller")

    assert printed(world) == ["101"]


@pytest.mark.row("E1")
def test_a_module_is_installed_once_and_uninstalled_once(world):
    world.install(sums())

    with pytest.raises(EngineError, match=r'"sums" is installed already'):
        world.install(sums())
    world.uninstall("sums")
    with pytest.raises(EngineError, match=r'no host module "sums" is installed'):
        world.uninstall("sums")


@pytest.mark.row("E1", "E8")
def test_uninstalling_ends_the_calls_under_way_with_an_error(world, scripts, doors):
    scripts.write("caller", caller("doors", 'print(pcall(doors.wait_for, "red")) print(pcall(doors.wait_for, "red"))'))
    world.install(doors.module)
    world.spawn("caller")
    playing = Plain(world)
    playing.until(lambda: doors.opened)

    world.uninstall(doors.module)
    playing.until(lambda: doors.given_up)
    ticks(world, 2)

    assert printed(world) == [
        'false\tdoors.wait_for: the host module "doors" was uninstalled',
        'false\tdoors.wait_for: the host module "doors" is not installed any more',
    ]


@pytest.mark.row("E3")
def test_a_call_that_waits_is_refused_in_update_at_the_script_s_line(play, world, scripts, doors):
    scripts.write(
        "caller",
        """
        local doors = require "doors"
        local caller = {}
        function caller:update() doors.wait_for("red") end
        return caller
    """,
    )
    world.install(doors.module)
    world.spawn("caller")

    play(world).frames(3)

    (problem,) = world.problems
    assert problem.line == 3
    assert problem.message.startswith("doors.wait_for: update cannot wait, it must end within the frame")
    assert "task.spawn" in problem.message
    assert world.stats().calls == 0
    assert doors.opened == []


@pytest.mark.row("E3")
def test_a_call_that_waits_is_refused_inside_a_c_function_and_in_a_call_from_python(world, scripts, doors):
    scripts.write(
        "caller",
        """
        local doors = require "doors"
        local caller = {}
        function caller:init()
          self.ask = function() return doors.wait_for("red") end
          print(pcall(table.sort, { 1, 2 }, self.ask))
        end
        return caller
    """,
    )
    world.install(doors.module)
    entity = world.spawn("caller")

    with entity.self.upgrade() as self_, pytest.raises(ScriptError, match="a call from Python cannot wait"):
        self_["ask"]()
    ticks(world, 2)

    assert printed(world)[0].startswith("false\t")
    assert "sort, which is a C function" in printed(world)[0]
    assert world.stats().calls == 0


@pytest.mark.row("E3")
def test_a_state_without_a_world_says_that_it_has_no_modules(lua):
    from engine import LuaState

    with LuaState(lua) as state, pytest.raises(ScriptError, match="this state has no world"):
        state.run('local sums = require "sums"')


@pytest.mark.row("E3")
def test_a_call_with_its_loop_not_running_is_an_error(world, scripts, doors):
    scripts.write("caller", caller("doors", 'doors.wait_for("red")'))
    still = asyncio.new_event_loop()
    world.install(doors.module, loop=still)
    world.spawn("caller")

    ticks(world, 3)
    still.close()

    (problem,) = world.problems
    assert problem.line == 4
    assert 'the asyncio loop that "doors" was installed with is not running' in problem.message


@pytest.mark.row("E4")
def test_a_module_may_be_given_the_loop_of_another_thread(world, scripts, doors, loop):
    scripts.write("caller", caller("doors", 'print(doors.wait_for("red"))'))
    world.install(doors.module, loop=loop)
    world.spawn("caller")
    playing = Plain(world)
    playing.until(lambda: doors.opened)

    doors.open("red")
    playing.until(lambda: printed(world))

    assert printed(world) == ["red"]
    assert "tidelock-host" not in threads()


@pytest.mark.row("E3", "E4")
def test_a_loop_that_is_closed_under_its_calls_ends_them_with_an_error(world, scripts, doors):
    scripts.write("caller", caller("doors", 'print(pcall(doors.wait_for, "red"))'))
    world.install(doors.module)
    world.spawn("caller")

    async def some_frames() -> None:
        while not doors.opened:
            world.tick(1 / 60)
            await asyncio.sleep(0)

    asyncio.run(some_frames())
    ticks(world, 3)

    assert printed(world) == ["false\tdoors.wait_for: CancelledError: its asyncio loop ended"]


@pytest.mark.row("E5")
def test_a_thousand_blocking_jobs_never_use_more_than_the_pool(make_world, scripts):
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
    world = make_world(limits=Limits(instructions=None, memory=None, calls=None, threads=3))
    world.install(module)
    entity = world.spawn("caller")

    Plain(world).until(lambda: world.frame > 1 and world.stats().calls == 0)

    with entity.self.upgrade() as self_:
        assert self_["sum"] == 500_500
    assert most[0] <= 3
    assert len(names) <= 3


@pytest.mark.row("E5")
def test_a_blocking_job_leaves_the_frame_times_alone(world, scripts):
    module = HostModule("jobs")

    @module.blocking
    def work() -> None:
        time.sleep(0.05)

    scripts.write("caller", caller("jobs", 'jobs.work() print("done")'))
    world.install(module)
    world.spawn("caller")
    ticks(world, 1)
    frames: list[float] = []
    started = time.perf_counter()
    while not printed(world):
        before = time.perf_counter()
        world.tick(1 / 60)
        frames.append(time.perf_counter() - before)
        time.sleep(0.001)

    assert 0.04 < time.perf_counter() - started < 0.5
    assert sorted(frames)[len(frames) // 2] < 0.005
    assert len(frames) > 10


@pytest.mark.row("E6")
def test_an_entity_has_a_bounded_number_of_calls_under_way_and_the_rest_wait_in_order(play, make_world, scripts, doors):
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
    world = make_world(limits=Limits(instructions=None, memory=None, calls=2))
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
    world = make_world(limits=Limits(instructions=None, memory=None, calls=2, world_calls=3))
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
    world = make_world(limits=Limits(instructions=None, memory=None, calls=1))
    world.install(doors.module)
    world.spawn("caller")
    playing = play(world)
    playing.until(lambda: doors.opened)

    world.bus.emit("enough")
    playing.until(lambda: len(doors.opened) == 2)

    assert doors.opened == ["door 1", "door 5"]
    assert doors.given_up == ["door 1"]


@pytest.mark.row("E6")
def test_ten_thousand_calls_at_once_all_get_their_own_answer(world, scripts):
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

    Plain(world).until(lambda: world.stats().calls == 0)
    ticks(world, 1)

    with entity.self.upgrade() as self_:
        assert (self_["right"], self_["wrong"]) == (10_000, 0)
    assert world.problems == []


@pytest.mark.row("E7")
@pytest.mark.parametrize("name", ["now", "later", "slowly"])
def test_in_a_strict_world_the_python_exception_is_the_cause(make_world, scripts, name):
    scripts.write("caller", caller("broken", f"wait() broken.{name}()"))
    world = make_world(strict=True)
    world.install(broken())
    world.spawn("caller")

    with pytest.raises(ScriptError, match="ValueError: no such day") as caught:
        Plain(world).until(lambda: False)

    assert isinstance(caught.value.__cause__, ValueError)
    assert caught.value.line == 4


@pytest.mark.row("E7")
def test_ctrl_c_in_a_direct_function_leaves_the_tick_and_not_the_state(world, scripts):
    module = HostModule("keys")

    @module.function
    def press() -> None:
        raise KeyboardInterrupt

    scripts.write("caller", caller("keys", "wait() print(pcall(keys.press)) wait() print('lives')"))
    world.install(module)
    world.spawn("caller")

    with pytest.raises(KeyboardInterrupt):
        ticks(world, 5)
    ticks(world, 2)

    assert printed(world)[0].startswith("false\tkeys.press: KeyboardInterrupt (test_host_calls.py:")
    assert printed(world)[1] == "lives"


@pytest.mark.row("E7")
def test_a_coroutine_that_exits_does_not_take_the_loop_along(world, scripts):
    module = HostModule("rude")

    @module.coroutine
    async def leave() -> None:
        raise SystemExit(3)

    scripts.write("caller", caller("rude", "print(pcall(rude.leave)) print(pcall(rude.leave))"))
    world.install(module)
    world.spawn("caller")

    Plain(world).until(lambda: len(printed(world)) == 2)

    assert all("rude.leave: SystemExit: 3" in line for line in printed(world))


@pytest.mark.row("E8")
def test_a_coroutine_that_takes_too_long_is_cancelled_with_an_error(play, world, scripts):
    module = HostModule("slow")
    ended: list[str] = []

    @module.coroutine(timeout=0.02)
    async def forever() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("cancelled")

    @module.blocking(timeout=0.02)
    def block() -> None:
        time.sleep(0.1)
        ended.append("ran on")

    scripts.write("caller", caller("slow", "print(pcall(slow.forever)) print(pcall(slow.block))"))
    world.install(module)
    world.spawn("caller")

    play(world).until(lambda: len(printed(world)) == 2 and len(ended) == 2)

    assert printed(world) == [
        "false\tslow.forever: TimeoutError: no answer within 0.02 s",
        "false\tslow.block: TimeoutError: no answer within 0.02 s",
    ]
    assert ended == ["cancelled", "ran on"]


@pytest.mark.row("E8")
def test_the_answer_to_an_old_version_that_comes_with_the_reload_wakes_nobody(world, scripts, doors):
    source = 'local name = "{0}" print(name, doors.wait_for(name))'
    scripts.write("caller", caller("doors", source.format("old")))
    world.install(doors.module)
    world.spawn("caller")

    async def play() -> None:
        while not doors.opened:
            world.tick(1 / 60)
            await asyncio.sleep(0)
        doors.open("old")
        for _ in range(5):  # the answer is in when the frame of the reload begins
            await asyncio.sleep(0)
        scripts.write("caller", caller("doors", source.format("new")))
        world.reload("caller")
        while doors.opened != ["old", "new"]:
            world.tick(1 / 60)
            await asyncio.sleep(0)
        doors.open("new")
        while not printed(world):
            world.tick(1 / 60)
            await asyncio.sleep(0)

    asyncio.run(play())

    assert printed(world) == ["new\tnew"]
    assert world.problems == []


@pytest.mark.row("E8")
def test_a_failed_reload_leaves_the_calls_alone(world, scripts, doors):
    scripts.write("caller", caller("doors", 'print(doors.wait_for("red"))'))
    world.install(doors.module)
    world.spawn("caller")
    playing = Plain(world)
    playing.until(lambda: doors.opened)

    scripts.write("caller", "return nonsense(")
    world.reload("caller")
    ticks(world, 1)
    doors.open("red")
    playing.until(lambda: printed(world))

    assert printed(world) == ["red"]


@pytest.mark.row("E8")
def test_closing_the_world_cancels_a_hundred_calls_and_leaves_no_thread(make_world, scripts, doors):
    before = threads()
    scripts.write(
        "caller",
        caller(
            "doors",
            """
      for i = 1, 100 do
        task.spawn(function() doors.wait_for("door " .. i) end)
      end""",
        ),
    )
    world = make_world(limits=Limits(instructions=None, memory=None, calls=None))
    world.install(doors.module)
    world.spawn("caller")
    Plain(world).until(lambda: len(doors.opened) == 100)

    world.close()

    assert len(doors.given_up) == 100
    assert threads() == before


@pytest.mark.row("E8")
def test_closing_waits_for_blocking_functions_that_run_and_drops_those_that_do_not(make_world, scripts):
    module = HostModule("jobs")
    begun, ended = threading.Semaphore(0), list[int]()

    @module.blocking
    def work(n: int) -> None:
        begun.release()
        time.sleep(0.02)
        ended.append(n)

    scripts.write("caller", caller("jobs", "for i = 1, 100 do task.spawn(jobs.work, i) end"))
    before = threads()
    world = make_world(limits=Limits(instructions=None, memory=None, calls=None, threads=2))
    world.install(module)
    world.spawn("caller")
    ticks(world, 1)
    begun.acquire(), begun.acquire()

    world.close()

    assert 2 <= len(ended) <= 4
    assert threads() == before


@pytest.mark.row("E8")
def test_the_endings_of_modules_run_when_they_are_uninstalled_and_when_the_world_closes(make_world, caplog):
    ended: list[str] = []

    def module(name: str) -> HostModule:
        made = HostModule(name)

        @made.closed
        def first() -> None:
            ended.append(f"{name} now")

        @made.closed
        async def second() -> None:
            await asyncio.sleep(0)
            ended.append(f"{name} later")

        return made

    bad = HostModule("bad")

    @bad.closed
    def fail() -> None:
        raise ValueError("no")

    world = make_world()
    for made in (module("a"), bad, module("b")):
        world.install(made)
    world.uninstall("a")
    early = list(ended)
    world.close()

    assert early == ["a now", "a later"]
    assert ended == ["a now", "a later", "b now", "b later"]
    assert "the ending of host module bad failed" in caplog.text


@pytest.mark.row("E8", "E12")
def test_a_callback_of_an_entity_that_is_gone_is_dropped(world, scripts):
    module = HostModule("later")
    kept: list[Callback] = []

    @module.function
    def remember(f: Callback) -> None:
        kept.append(f)

    scripts.write("caller", caller("later", "later.remember(function(what) print(what) end)"))
    world.install(module)
    first, second = world.spawn("caller"), world.spawn("caller")

    first.destroy()
    for callback in kept:
        callback("called")
    ticks(world, 2)
    world.reload("caller")
    ticks(world, 1)
    kept[1]("called the old one")
    kept[2]("called the new one")
    ticks(world, 2)

    assert [callback.alive for callback in kept] == [False, False, True]
    assert printed(world) == ["called", "called the new one"]
    assert second.alive
    assert world.problems == []


@pytest.mark.row("E12")
def test_dropping_a_callback_right_after_its_call_loses_nothing(world, scripts):
    module = HostModule("later")

    @module.function
    def call(f: Callback) -> None:
        f("first")
        f("second")

    scripts.write("caller", caller("later", "later.call(function(what) print(what) end)"))
    world.install(module)
    entity = world.spawn("caller")
    world.bus.on("look", lambda event: entity.self.release())  # frees what was dropped, in mid-frame

    world.bus.emit("look")
    ticks(world, 2)

    assert printed(world) == ["first", "second"]


@pytest.mark.row("E12")
def test_a_failing_callback_is_a_problem_of_its_script(play, world, scripts):
    module = HostModule("later")

    @module.function
    def call(f: Callback) -> None:
        f()

    scripts.write("caller", caller("later", "later.call(function() error('bad') end)"))
    world.install(module)
    world.spawn("caller")

    play(world).frames(2)

    (problem,) = world.problems
    assert (problem.line, problem.message) == (4, "bad")
    assert "in later.call" in problem.traceback or "later.call" in problem.traceback


@pytest.mark.row("E12")
@pytest.mark.parametrize("name", ["now", "slowly"])
def test_arguments_and_results_of_many_values_cross_in_parts(play, make_world, scripts, name):
    module = HostModule("echo", payload=1024 * 1024)

    @module.function
    def now(value: list[int], more: str) -> list[object]:
        return [value, more]

    @module.blocking
    def slowly(value: list[int], more: str) -> list[object]:
        return [value, more]

    scripts.write(
        "caller",
        caller(
            "echo",
            f"""
      local list = {{}}
      for i = 1, 20000 do list[i] = i end
      local answer = echo.{name}(list, "end")
      local sum = 0
      for i = 1, #answer[1] do sum = sum + answer[1][i] end
      print(#answer[1], sum == 200010000, answer[2])""",
        ),
    )
    world = make_world()
    world.install(module)
    world.spawn("caller")

    play(world).until(lambda: printed(world) or world.problems)

    assert world.problems == []
    assert printed(world) == ["20000\ttrue\tend"]


@pytest.mark.row("E12")
def test_what_is_no_plain_data_is_refused_on_both_ways(play, world, scripts):
    module = HostModule("plain")

    @module.function
    def take(value: object) -> None: ...

    @module.function
    def give() -> object:
        return {"inside": object()}

    @module.coroutine
    async def give_later() -> object:
        return object()

    scripts.write(
        "caller",
        caller(
            "plain",
            """
      print(pcall(plain.take, { deep = { co = coroutine.create(print) } }))
      print(pcall(plain.take, setmetatable({}, {})))
      print(pcall(plain.take, { deep = { f = print } }))
      print(pcall(plain.take, ("x"):rep(70000)))
      print(pcall(plain.give))
      print(pcall(plain.give_later))""",
        ),
    )
    world.install(module)
    world.spawn("caller")

    play(world).until(lambda: len(printed(world)) == 6)

    assert [line.removeprefix("false\t") for line in printed(world)] == [
        "plain.take: argument 1.deep.co: a thread cannot leave its state",
        "plain.take: argument 1: a table with a metatable cannot leave its state",
        "plain.take: argument 1.deep.f: a function cannot leave its state",
        "plain.take: argument 1: larger than 65536 bytes",
        "plain.give: result.inside: an object object cannot enter a state; send plain data",
        "plain.give_later: result: an object object cannot enter a state; send plain data",
    ]


@pytest.mark.row("E7")
def test_a_wrong_argument_names_the_parameter_at_the_script_s_line(play, world, scripts):
    module = HostModule("scores")

    @module.function
    def save(name: str, points: int, *, season: int = 1) -> None: ...

    @module.coroutine
    async def save_later(name: str, points: int) -> None: ...

    scripts.write(
        "caller",
        """
        local scores = require "scores"
        local caller = {}
        function caller:start()
          task.spawn(function()
            scores.save("ann", "many")
          end)
          task.spawn(function()
            scores.save_later("ann", {})
          end)
          print(pcall(scores.save, "ann", 1.5))
          print(pcall(scores.save, "ann"))
          print(pcall(scores.save, "ann", 1, { seson = 2 }))
          print(pcall(scores.save, "ann", 2.0, { season = 2 }, 4))
          print(pcall(scores.save, "ann", 2.0, { season = 2 }))
        end
        return caller
    """,
    )
    world.install(module)
    world.spawn("caller")
    play(world).frames(2)

    assert [(problem.line, problem.message) for problem in world.problems] == [
        (5, 'scores.save: points must be an integer, got the string "many"'),
        (8, "scores.save_later: points must be an integer, got a table"),
    ]
    assert printed(world) == [
        "false\tscores.save: points must be an integer, got the number 1.5",
        "false\tscores.save: argument 2 (points) is missing",
        'false\tscores.save: unknown option "seson"; did you mean "season"?',
        "false\tscores.save: takes at most 3 arguments, got 4",
        "true\tnil",
    ]


def test_what_a_host_function_gave_shows_in_the_digest(make_world, scripts):
    def digest(answer: int) -> str:
        module = HostModule("dice")

        @module.function
        def roll() -> int:
            return answer

        scripts.write("caller", caller("dice", "local _ = dice.roll()"))
        world = make_world()
        world.install(module)
        world.spawn("caller")
        ticks(world, 2)
        return world.stats().digest

    assert digest(3) == digest(3) != digest(4)


@pytest.mark.row("E1")
def test_calls_work_inside_a_script_s_own_coroutines(play, world, scripts):
    world.install(sums())
    scripts.write(
        "caller",
        caller(
            "sums",
            """
      local co = coroutine.wrap(function(a)
        local b = coroutine.yield(sums.add_later(a, 1))
        coroutine.yield(sums.add_slowly(a, b))
        return "end"
      end)
      print(co(1), co(10), co())""",
        ),
    )
    world.spawn("caller")

    play(world).until(lambda: printed(world))

    assert printed(world) == ["2\t11\tend"]


@pytest.mark.row("E1")
def test_entities_that_share_a_state_get_their_own_answers(play, make_world, scripts):
    world = make_world(isolation="script")
    world.install(sums())
    scripts.write("caller", caller("sums", "print(entity.id, sums.add_later(entity.id, 10))"))
    for _ in range(3):
        world.spawn("caller")

    play(world).until(lambda: len(printed(world)) == 3)

    assert sorted(printed(world)) == ["1\t11", "2\t12", "3\t13"]


@pytest.mark.row("E5")
def test_work_for_a_process_runs_in_another_one_and_its_errors_come_back(tmp_path):
    (tmp_path / "work.py").write_text(WORK)
    (tmp_path / "scripts").mkdir()
    (tmp_path / "scripts/caller.lua").write_text(
        caller("work", "print(work.pid()) print(pcall(work.fail)) print(pcall(work.die)) print(work.pid()) work.fail()")
    )
    done = run_child(PLAY, cwd=tmp_path)

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
import os, time
from engine import World
import work

if __name__ == "__main__":
    os.environ["PARENT"] = str(os.getpid())
    with World("scripts") as world:
        world.install(work.work)
        world.spawn("caller")
        while not world.problems:
            world.tick(1 / 60)
            time.sleep(0.001)
        for line in world.log:
            print(line.text)
        print("PROBLEM", world.problems[0].traceback)
"""


def test_an_installed_package_offers_a_module_by_its_name(world, scripts, tmp_path, monkeypatch):
    site = tmp_path / "site"
    (site / "greetings-1.0.dist-info").mkdir(parents=True)
    (site / "greetings-1.0.dist-info/METADATA").write_text("Metadata-Version: 2.1\nName: greetings\nVersion: 1.0\n")
    (site / "greetings-1.0.dist-info/entry_points.txt").write_text(
        "[tidelock.modules]\ngreet = greetings_of_a_package:make\n"
    )
    (site / "greetings_of_a_package.py").write_text(
        "from engine import HostModule\n"
        "def hello(name: str) -> str:\n    return f'hello {name}'\n"
        "def make():\n    module = HostModule('greet')\n    module.function(hello)\n    return module\n"
    )
    monkeypatch.syspath_prepend(site)
    scripts.write("caller", caller("greet", "print(greet.hello('ann'))"))

    world.install("greet")
    world.spawn("caller")

    assert printed(world) == ["hello ann"]
    with pytest.raises(EngineError, match=r'offers a host module "gret".*greet'):
        world.install("gret")


@pytest.mark.row("E3")
def test_a_call_with_a_c_function_somewhere_around_it_is_refused_and_forgotten(world, scripts, doors):
    scripts.write(
        "caller",
        caller(
            "doors",
            """
      local function ask() return doors.wait_for("red") end
      print(pcall(string.gsub, "a", "a", function() coroutine.wrap(ask)() end))
      wait()
      print("on time")""",
        ),
    )
    world.install(doors.module)
    world.spawn("caller")

    ticks(world, 3)

    assert "doors.wait_for: cannot wait inside" in printed(world)[0]
    assert printed(world)[1] == "on time"
    assert doors.opened == []


@pytest.mark.row("E11")
def test_a_host_call_beside_the_task_is_a_future_for_any_number_of_tasks(play, world, scripts, doors):
    scripts.write(
        "caller",
        caller(
            "doors",
            """
      local door = async.start(doors.wait_for, "red")
      for i = 1, 3 do
        task.spawn(function() print(i, door:await()) end)
      end
      print(door:status())
      print("last", door:await(), door:status(), door:await())""",
        ),
    )
    world.install(doors.module)
    world.spawn("caller")
    playing = play(world)
    playing.until(lambda: doors.opened)

    doors.open("red")
    playing.until(lambda: len(printed(world)) == 5)

    assert doors.opened == ["red"]
    assert printed(world) == ["pending", "1\tred", "2\tred", "3\tred", "last\tred\tdone\tred"]


@pytest.mark.row("E11")
def test_cancelling_a_future_cancels_the_coroutine_and_tells_who_waits(play, world, scripts, doors):
    scripts.write(
        "caller",
        caller(
            "doors",
            """
      local door = async.start(doors.wait_for, "red")
      task.spawn(function() print(pcall(door.await, door)) end)
      bus.on("enough", function() door:cancel() end)""",
        ),
    )
    world.install(doors.module)
    world.spawn("caller")
    playing = play(world)
    playing.until(lambda: doors.opened)

    world.bus.emit("enough")
    playing.until(lambda: doors.given_up)

    assert len(printed(world)) == 1
    assert "it was cancelled" in printed(world)[0]


@pytest.mark.row("E11")
def test_all_waits_for_every_call_and_race_cancels_the_losers(play, world, scripts, doors):
    scripts.write(
        "caller",
        caller(
            "doors",
            """
      local function go(name) return function() return doors.wait_for(name) end end
      local both = async.all({ go("red"), go("blue") })
      print(both[1], both[2])
      print(async.race({ go("left"), go("right") }))""",
        ),
    )
    world.install(doors.module)
    world.spawn("caller")
    playing = play(world)
    playing.until(lambda: len(doors.opened) == 2)
    doors.open("blue", "red")
    playing.until(lambda: len(doors.opened) == 4)

    doors.open("right")
    playing.until(lambda: len(printed(world)) == 2 and doors.given_up)

    assert printed(world)[0] == "red\tblue"
    assert printed(world)[1].startswith("right")
    assert doors.given_up == ["left"]


@pytest.mark.row("E7", "E11")
def test_a_failed_call_fails_its_future_in_everybody_who_waits(play, world, scripts):
    world.install(broken())
    scripts.write(
        "caller",
        caller(
            "broken",
            """
      local day = async.start(broken.later)
      task.spawn(function() print(pcall(day.await, day)) end)
      print(pcall(day.await, day))""",
        ),
    )
    world.spawn("caller")

    play(world).until(lambda: len(printed(world)) == 2)

    assert all("broken.later: ValueError: no such day (host_modules.py:" in line for line in printed(world))
    assert world.problems == []


@pytest.mark.row("E4", "E8")
def test_closing_the_world_inside_the_host_s_own_loop_cancels_its_calls_there(world, scripts, doors):
    scripts.write(
        "caller",
        caller("doors", "for i = 1, 10 do task.spawn(function() doors.wait_for('door ' .. i) end) end"),
    )
    ended: list[str] = []
    world.install(doors.module)
    world.spawn("caller")

    @doors.module.closed
    async def leave() -> None:
        await asyncio.sleep(0)
        ended.append("left")

    async def play() -> None:
        while len(doors.opened) < 10:
            world.tick(1 / 60)
            await asyncio.sleep(0)
        world.close()
        assert doors.given_up == []
        for _ in range(5):
            await asyncio.sleep(0)

    asyncio.run(play())

    assert len(doors.given_up) == 10
    assert ended == ["left"]


@pytest.mark.row("E8")
def test_the_thread_of_a_world_that_is_dropped_and_not_closed_ends(scripts, lua):
    scripts.write("caller", caller("sums", "print(sums.add_later(1))"))

    def play() -> list[threading.Thread]:
        world = World(scripts.path, lua=lua)
        world.install(sums())
        world.spawn("caller")
        Plain(world).until(lambda: printed(world))
        return [thread for thread in threading.enumerate() if thread.name == "tidelock-host"]

    (thread,) = play()
    gc.collect()
    thread.join(10)

    assert not thread.is_alive()


@pytest.mark.row("E1")
def test_a_module_that_comes_back_with_other_kinds_of_functions_is_told_to_old_scripts(world, scripts):
    def pair(first: str, second: str) -> HostModule:
        module = HostModule("pair")
        kinds = {"function": module.function, "blocking": module.blocking}

        @kinds[first]
        def one() -> int:
            return 1

        @kinds[second]
        def two() -> int:
            return 2

        return module

    scripts.write("caller", caller("pair", "wait() print(pcall(pair.one)) print(pcall(pair.two))"))
    world.install(pair("function", "blocking"))
    world.spawn("caller")

    world.uninstall("pair")
    world.install(pair("blocking", "function"))
    ticks(world, 3)

    assert printed(world) == [
        "false\tpair.one: it is another kind of function since its module was installed anew",
        "false\tpair.two: it is another kind of function since its module was installed anew",
    ]
