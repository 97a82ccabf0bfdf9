"""What crosses between scripts and host modules: plain data, checked arguments, and callbacks.

Many values cross in each loop under Lua 5.5, and under each Lua in a plain loop; the rest under all of both.
"""

import pytest

from engine import FunctionHandle, HostModule, Limits, ScriptError, StateClosed
from engine.host import Callback
from helpers import printed
from host_loops import each_loop_and_each_lua
from host_modules import caller

pytestmark = pytest.mark.row("E4")


@pytest.mark.row("E8", "E12")
def test_a_callback_of_an_entity_that_is_gone_is_dropped(play, world, scripts):
    module = HostModule("later")
    kept: list[Callback] = []

    @module.function
    def remember(f: Callback) -> None:
        kept.append(f)

    scripts.write("caller", caller("later", "later.remember(function(what) print(what) end)"))
    world.install(module)
    first, second = world.spawn("caller"), world.spawn("caller")
    playing = play(world)

    first.destroy()
    for callback in kept:
        callback("called")
    playing.frames(2)
    world.reload("caller")
    playing.frames(1)
    kept[1]("called the old one")
    kept[2]("called the new one")
    playing.frames(2)

    assert [callback.alive for callback in kept] == [False, False, True]
    assert printed(world) == ["called", "called the new one"]
    assert second.alive
    assert world.problems == []


@pytest.mark.row("E12")
def test_dropping_a_callback_right_after_its_call_loses_nothing(play, world, scripts):
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
    play(world).frames(2)

    assert printed(world) == ["first", "second"]


@pytest.mark.row("D8", "E12")
def test_a_function_arrives_as_a_handle_that_can_be_upgraded_and_handed_back(play, world, scripts):
    module = HostModule("later")
    kept: list[FunctionHandle] = []

    @module.function
    def remember(f: FunctionHandle, g: FunctionHandle) -> None:
        kept.extend((f, g))

    scripts.write(
        "caller", caller("later", "later.remember(function(f) return f(20) end, function(x) return x + 1 end)")
    )
    world.install(module)
    entity = world.spawn("caller")
    play(world)
    apply, increment = kept

    with apply.upgrade() as strong:
        assert strong(increment) == 21
    assert isinstance(apply, FunctionHandle)
    entity.destroy()
    assert not apply.alive and apply.try_upgrade() is None


@pytest.mark.row("E12")
def test_a_submitted_callback_gives_a_future_of_its_result(play, world, scripts):
    module = HostModule("later")
    kept: list[Callback] = []

    @module.function
    def remember(f: Callback, g: Callback) -> None:
        kept.extend((f, g))

    scripts.write(
        "caller", caller("later", "later.remember(function(x) return 2 * x end, function() error('bad') end)")
    )
    world.install(module)
    entity = world.spawn("caller")
    playing = play(world)
    good, bad = kept[0].submit(4), kept[1].submit()

    assert not good.done()
    playing.frames(1)

    assert good.result(timeout=0) == 8
    with pytest.raises(ScriptError, match="bad"):
        bad.result(timeout=0)
    assert world.problems == []
    entity.destroy()
    with pytest.raises(StateClosed):
        kept[0].submit(1)


@pytest.mark.row("D7", "E12")
def test_a_callback_that_finds_the_mailbox_full_leaves_nothing_in_the_state(make_world, scripts):
    world = make_world(limits=Limits(instructions=None, seconds=None, memory=None, mailbox=5))
    module = HostModule("later")
    kept: list[Callback] = []

    @module.function
    def remember(f: Callback) -> None:
        kept.append(f)

    scripts.write("caller", caller("later", "later.remember(function() end)"))
    world.install(module)
    entity = world.spawn("caller")

    for _ in range(20):
        kept[0]()
    world.tick(0.1)

    assert (
        "the mailbox of entity 1 is full (5 events, Limits.mailbox): a callback of later.remember"
        in world.problems[0].message
    )
    kept.clear()
    world.tick(0.1)
    assert entity.actor.function("handles", "count")() == 0


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
@each_loop_and_each_lua
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
