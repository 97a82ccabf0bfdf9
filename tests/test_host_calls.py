"""Calls of host modules: where they may be made, where they run, and how they fail.

Under every main loop with every Lua, where the claim is one about worlds and not about one certain loop.
"""

import asyncio
import threading
from collections.abc import Iterator

import pytest

from engine import EngineError, HostModule, ScriptError
from helpers import printed, threads, ticks
from host_loops import Player
from host_modules import broken, caller, sums


@pytest.fixture
def other_loop() -> Iterator[asyncio.AbstractEventLoop]:
    """An asyncio loop that runs on a thread of its own, as a server inside a game might."""
    made = asyncio.new_event_loop()
    thread = threading.Thread(target=made.run_forever)
    thread.start()
    yield made
    made.call_soon_threadsafe(made.stop)
    thread.join()
    made.close()


@pytest.mark.row("E1")
def test_require_fails_before_a_module_is_installed_and_after_it_is_uninstalled(play, world, scripts):
    scripts.write("caller", caller("sums", "print(sums.add(1))"))
    playing = play(world)

    playing.do(lambda: world.spawn("caller"))
    before = [problem.message for problem in world.problems]
    world.install(sums())
    playing.do(lambda: world.spawn("caller"))
    world.uninstall("sums")
    playing.do(lambda: world.spawn("caller"))

    assert before == ['require: there is no library or host module "sums"']
    assert printed(world) == ["2"]
    assert world.problems[0].count == 2


@pytest.mark.row("E1")
def test_a_library_of_the_scripts_wins_over_a_host_module_of_its_name(play, world, scripts):
    scripts.write("sums", "return { add = function(a) return a + 100 end }")
    scripts.write("caller", caller("sums", "print(sums.add(1))"))
    world.install(sums())

    play(world).do(lambda: world.spawn("caller"))

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
def test_uninstalling_ends_the_calls_under_way_with_an_error(play, world, scripts, doors):
    scripts.write("caller", caller("doors", 'print(pcall(doors.wait_for, "red")) print(pcall(doors.wait_for, "red"))'))
    world.install(doors.module)
    world.spawn("caller")
    playing = play(world)
    playing.until(lambda: doors.opened)

    playing.do(lambda: world.uninstall(doors.module))
    playing.until(lambda: doors.given_up)
    playing.frames(2)

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
def test_a_call_that_waits_is_refused_inside_a_c_function_and_in_a_call_from_python(play, world, scripts, doors):
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
    playing = play(world)

    with entity.self.upgrade() as self_, pytest.raises(ScriptError, match="a call from Python cannot wait"):
        playing.do(self_["ask"])
    playing.frames(2)

    assert printed(world)[0].startswith("false\t")
    assert "sort, which is a C function" in printed(world)[0]
    assert world.stats().calls == 0


@pytest.mark.row("E3")
def test_a_call_with_a_c_function_somewhere_around_it_is_refused_and_forgotten(play, world, scripts, doors):
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

    play(world).frames(3)

    assert "doors.wait_for: cannot wait inside" in printed(world)[0]
    assert printed(world)[1] == "on time"
    assert doors.opened == []


@pytest.mark.row("E3")
def test_a_state_without_a_world_says_that_it_has_no_modules(lua):
    from engine import LuaState

    with LuaState(lua) as state, pytest.raises(ScriptError, match="this state has no world"):
        state.run('local sums = require "sums"')


@pytest.mark.row("E3")
def test_a_call_with_its_loop_not_running_is_an_error(play, world, scripts, doors):
    scripts.write("caller", caller("doors", 'doors.wait_for("red")'))
    still = asyncio.new_event_loop()
    world.install(doors.module, loop=still)
    world.spawn("caller")

    play(world).frames(3)
    still.close()

    (problem,) = world.problems
    assert problem.line == 4
    assert 'the asyncio loop that "doors" was installed with is not running' in problem.message


@pytest.mark.row("E4")
def test_a_module_may_be_given_the_loop_of_another_thread(play, world, scripts, doors, other_loop):
    scripts.write("caller", caller("doors", 'print(doors.wait_for("red"))'))
    world.install(doors.module, loop=other_loop)
    before = threads()
    world.spawn("caller")
    playing = play(world)
    playing.until(lambda: doors.opened)

    doors.open("red")
    playing.until(lambda: printed(world))

    assert printed(world) == ["red"]
    assert "tidelock-host" not in {thread.name for thread in threads() - before}


@pytest.mark.row("E3", "E4")
def test_a_loop_that_is_closed_under_its_calls_ends_them_with_an_error(play, world, scripts, doors):
    scripts.write("caller", caller("doors", 'print(pcall(doors.wait_for, "red"))'))
    world.install(doors.module)
    world.spawn("caller")

    async def some_frames() -> None:
        while not doors.opened:
            world.tick(1 / 60)
            await asyncio.sleep(0)

    asyncio.run(some_frames())
    play(world).frames(3)

    assert printed(world) == ["false\tdoors.wait_for: CancelledError: its asyncio loop ended"]


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
@pytest.mark.parametrize("isolation", ["script"])
def test_entities_that_share_a_state_get_their_own_answers(play, make_world, scripts):
    world = make_world()
    world.install(sums())
    scripts.write("caller", caller("sums", "print(entity.id, sums.add_later(entity.id, 10))"))
    for _ in range(3):
        world.spawn("caller")

    play(world).until(lambda: len(printed(world)) == 3)

    assert sorted(printed(world)) == ["1\t11", "2\t12", "3\t13"]


@pytest.mark.row("E1")
def test_a_module_that_comes_back_with_other_kinds_of_functions_is_told_to_old_scripts(play, world, scripts):
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
    playing = play(world)

    playing.do(lambda: world.uninstall("pair"))
    world.install(pair("blocking", "function"))
    playing.frames(3)

    assert printed(world) == [
        "false\tpair.one: it is another kind of function since its module was installed anew",
        "false\tpair.two: it is another kind of function since its module was installed anew",
    ]


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


@pytest.mark.row("E7")
@pytest.mark.parametrize("name", ["now", "later", "slowly"])
def test_in_a_strict_world_the_python_exception_is_the_cause(play, make_world, scripts, name):
    scripts.write("caller", caller("broken", f"wait() broken.{name}()"))
    world = make_world(strict=True)
    world.install(broken())
    world.spawn("caller")

    with pytest.raises(ScriptError, match="ValueError: no such day") as caught:
        play(world).until(lambda: False)

    assert isinstance(caught.value.__cause__, ValueError)
    assert caught.value.line == 4


@pytest.mark.row("E7")
def test_ctrl_c_in_a_direct_function_leaves_the_tick_and_not_the_state(play, world, scripts):
    module = HostModule("keys")

    @module.function
    def press() -> None:
        raise KeyboardInterrupt

    scripts.write("caller", caller("keys", "wait() print(pcall(keys.press)) wait() print('lives')"))
    world.install(module)
    world.spawn("caller")
    playing = play(world)

    with pytest.raises(KeyboardInterrupt):
        playing.frames(5)
    playing.frames(2)

    assert printed(world)[0].startswith("false\tkeys.press: KeyboardInterrupt (test_host_calls.py:")
    assert printed(world)[1] == "lives"


@pytest.mark.row("E7")
@pytest.mark.parametrize("error", [SystemExit, GeneratorExit, pytest.fail.Exception])
def test_a_coroutine_that_exits_does_not_take_the_loop_along_and_its_script_hears_of_it(play, world, scripts, error):
    module = HostModule("rude")

    @module.coroutine
    async def leave() -> None:
        await asyncio.sleep(0)
        raise error("3")

    scripts.write("caller", caller("rude", "print(pcall(rude.leave)) print(pcall(rude.leave))"))
    world.install(module)
    world.spawn("caller")

    play(world).until(lambda: len(printed(world)) == 2)

    assert all(f"rude.leave: {error.__name__}: 3" in line for line in printed(world))


@pytest.mark.row("E7")
def test_an_interrupt_that_a_coroutine_raises_on_the_hosts_thread_does_not_end_that(world, scripts):
    module = HostModule("rude")

    @module.coroutine
    async def leave() -> None:
        raise KeyboardInterrupt

    scripts.write("caller", caller("rude", "print(pcall(rude.leave)) print(pcall(rude.leave))"))
    world.install(module)
    world.spawn("caller")

    Player(world).until(lambda: len(printed(world)) == 2)

    assert all("rude.leave: KeyboardInterrupt" in line for line in printed(world))


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
