"""Each limit holds exactly at its border, and says which it is, its value, the line and the way out."""

from dataclasses import fields as fields_of
from math import inf, nan

import pytest

from engine import LimitError, Limits, LuaState, ScriptError
from helpers import fields, messages, run_child

PUC = ["lua55", "lua54"]


@pytest.mark.parametrize("lua", PUC)
@pytest.mark.row("G1")
def test_the_count_of_instructions_is_the_same_on_every_run(lua):
    def longest() -> int:
        low, high = 0, 200_000
        while low < high:
            middle = (low + high + 1) // 2
            with LuaState(lua, limits=Limits(instructions=100_000)) as state:
                try:
                    state.run(f"for i = 1, {middle} do end")
                    low = middle
                except ScriptError:
                    high = middle - 1
        return low

    first = longest()

    assert first == longest()
    assert 95_000 <= first <= 101_000


@pytest.mark.parametrize("lua", PUC)
@pytest.mark.row("G1")
@pytest.mark.parametrize("isolation", ["entity"])
def test_where_a_script_is_stopped_is_no_matter_of_when_garbage_is_collected(make_world, scripts, lua):
    scripts.write(
        "loop",
        """
        return { on_event = function(self, event)
          local waste = {}
          for i = 1, event.payload do self.reached = i end
          for i = 1, event.name == "waste" and event.payload or 0 do waste[i] = {} end
        end }
        """,
    )

    def reached(collect, *events):
        world = make_world(limits=Limits(instructions=2_000_000, memory=None))
        loop = world.spawn("loop")
        loop.actor._runtime._vm.execute(b"collectgarbage('stop')")
        for name, count in (*events, ("last", 10**9)):
            loop.actor._runtime._vm.execute(collect if name == "last" else b"")
            world.bus.send(loop, name, count)
            world.tick(0.1)
        return fields(loop)["reached"]

    for events in [("first", 10**9)], [("waste", 100_000), ("first", 2_000)]:
        assert reached(b"collectgarbage()", *events) == reached(b"", *events)


@pytest.mark.parametrize("lua", PUC)
@pytest.mark.row("G1")
def test_a_stop_names_the_limit_its_value_the_line_and_the_way_out(lua):
    with LuaState(lua, limits=Limits(instructions=5_000)) as state:
        with pytest.raises(ScriptError) as stopped:
            state.run("local n = 0\nwhile true do\n  n = n + 1\nend", chunk="loop.lua")

    assert (stopped.value.script, stopped.value.line) in (("loop.lua", 2), ("loop.lua", 3))
    assert "5,000 instructions" in stopped.value.message
    assert "Limits.instructions" in stopped.value.message
    assert "raise the limit" in stopped.value.message


@pytest.mark.parametrize("lua", PUC)
@pytest.mark.row("G1")
def test_a_stop_cannot_be_caught_and_the_next_call_goes_on(lua):
    with LuaState(lua, limits=Limits(instructions=50_000)) as state:
        with pytest.raises(ScriptError, match="50,000 instructions"):
            state.run("pcall(function() while true do end end) reached = true")

        assert state.run("return reached") is None
        assert state.run("return 1 + 1") == 2


@pytest.mark.parametrize("lua", PUC)
@pytest.mark.row("G2")
def test_memory_is_refused_one_byte_over_the_limit_and_given_below_it(lua):
    with LuaState(lua, limits=Limits(memory=4 * 2**20)) as state:
        state.run("kept = nil collectgarbage('count')")
        room = 4 * 2**20 - state.run("return collectgarbage('count') * 1024")

        assert state.run(f"return #string.rep('x', {int(room) - 200_000})") == int(room) - 200_000
        with pytest.raises(ScriptError, match=r"string.rep: .* 4 MiB, the limit \(Limits.memory\)"):
            state.run(f"return #string.rep('x', {4 * 2**20})")


@pytest.mark.parametrize("lua", PUC)
@pytest.mark.row("G2")
def test_a_state_over_its_memory_refuses_python_instead_of_ending_the_process(lua):
    with LuaState(lua, limits=Limits(memory=2 * 2**20)) as state:
        state.run("local s = ('x'):rep(600000) kept = s .. s .. s .. s")

        with pytest.raises(LimitError, match=r"Limits\.memory"):
            state.run("return 1")


def test_luajit_refuses_limits_and_says_what_to_use():
    for limits in (Limits(), Limits(instructions=None, seconds=None), Limits(seconds=1.0, memory=None)):
        with pytest.raises(LimitError, match=r"luajit21 cannot hold limits.*Use lua55"):
            LuaState("luajit21", limits=limits)


@pytest.mark.parametrize("field", [field.name for field in fields_of(Limits)])
def test_what_is_no_limit_is_refused_by_name_and_not_in_a_later_frame(field):
    for value in ("5", True, -1, nan, inf, 10**30):
        with pytest.raises(LimitError, match=rf"Limits\.{field} must be .*got {value!r}".replace("+", ".")):
            Limits().but(**{field: value})


def test_of_some_things_there_may_be_none_and_not_all_limits_can_be_switched_off():
    Limits(tasks=0, outbox=0, subscriptions=0, spawns=0, entities=0, log=0)

    for field in ("instructions", "seconds", "mailbox", "errors", "calls", "world_calls"):
        with pytest.raises(LimitError, match=rf"Limits\.{field} .* or None for no limit; got 0"):
            Limits().but(**{field: 0})
    for field in ("payload", "depth", "threads"):
        with pytest.raises(LimitError, match=rf"Limits\.{field} must be a whole number >= 1, .*at most; got None"):
            Limits().but(**{field: None})


def test_a_memory_too_small_for_a_state_is_refused():
    with pytest.raises(LimitError, match=r"Limits\.memory must be at least"):
        Limits(memory=100_000)


def test_a_stop_leaves_what_was_deferred_for_the_next_frame_and_says_no_more_than_what_happened(
    make_world, scripts, lua
):
    if lua == "luajit21":
        pytest.skip("limits on instructions hold on PUC Lua")
    scripts.write(
        "eager",
        """
local eager = {}
function eager:start()
  wait()
  task.defer(function() print("deferred") end)
  async.start(function() error("nobody waits") end)
  while true do end
end
return eager
""",
    )
    world = make_world(limits=Limits(instructions=50_000))
    world.spawn("eager")

    world.tick(0.1)

    assert [problem.line for problem in world.problems] == [6, 5]
    assert not world.log

    world.tick(0.1)

    assert [line.text for line in world.log] == ["deferred"]


HANGS = {
    "an iterator of C without an end": (
        "bus.on('x', print, setmetatable({}, { __pairs = function() return tostring, 'coalesce' end }))",
        "nothing wrong",
    ),
    "a list whose metatable gives every entry": (
        "task.all(setmetatable({}, { __len = function() return 1e15 end, __index = assert }))",
        "task.all: entry 1: expected a function, got nil",
    ),
    "more clean-ups than can run at once": (
        "for _ = 1, 1e9 do task.finally(print) end",
        "task.finally: the task has 1000 clean-ups and gets no more; does a loop add one each time?",
    ),
    "a tween of everything": (
        "local goals = {} for i = 1, 1001 do goals[i] = 1 end tween(goals, 1, goals)",
        "tween: there are more than 1000 goals; move what they belong to by itself",
    ),
    "an expression that Lua compiles in the square of its length": (
        "assert(load('return ' .. ('a and '):rep(100000) .. 'a'))",
        'load: the text has more than 20000 "and", "or" and "elseif", too many to compile; load it in parts',
    ),
    "a source that is none": (
        "assert(load(coroutine.isyieldable))",
        "reader function must return a string",
    ),
    "a source without an end": (
        "load(os.time)",
        "stopped after 500,000 instructions",
    ),
    "a long set that is asked for each byte": (
        "local text, set = ('a'):rep(1e5), '[' .. ('b'):rep(1e5) .. ']' while true do text:find(set) end",
        "stopped after 500,000 instructions",
    ),
    "a long set that is repeated": (
        "local text, set = ('a'):rep(1e5), '[' .. ('b'):rep(1e5) .. 'a]*c' while true do text:match(set) end",
        "stopped after 500,000 instructions",
    ),
}


@pytest.mark.row("G1", "G3", "G5")
@pytest.mark.parametrize("lua", PUC)
def test_what_keeps_the_engine_itself_at_work_is_refused_or_stopped(lua, tmp_path):
    for number, (code, _) in enumerate(HANGS.values()):
        (tmp_path / f"liar{number}.lua").write_text(f"return {{ start = function() {code} end }}", encoding="utf-8")

    child = run_child(
        f"""
        from engine import Limits, World

        for number in range({len(HANGS)}):
            with World({str(tmp_path)!r}, lua={lua!r}, limits=Limits(instructions=500_000, seconds=600)) as world:
                world.spawn(f"liar{{number}}")
                world.tick(0.1)
                print(next((problem.message for problem in world.problems), "nothing wrong"))
        """
    )

    said = child.stdout.splitlines()
    assert {what: line[: len(HANGS[what][1])] for what, line in zip(HANGS, said, strict=True)} == {
        what: message for what, (_, message) in HANGS.items()
    }


def test_a_script_that_lua_would_take_minutes_to_compile_is_refused(world, scripts):
    scripts.write("long", "return a" + " and a" * 20_001)
    scripts.write("said", f"return {{ words = {'this and that or none ' * 9_000!r} }}")

    world.spawn("long")
    world.spawn("said")

    [problem] = world.problems
    assert (problem.script, problem.message) == (
        "scripts/long.lua",
        'the file has more than 20000 "and", "or" and "elseif", too many to compile; split it',
    )


@pytest.mark.row("G2")
@pytest.mark.parametrize("word", ["task.all", "task.race"])
def test_a_list_that_claims_to_be_long_is_refused_at_its_first_gap(make_world, scripts, lua, word):
    if lua == "luajit21":
        pytest.skip("LuaJIT asks no metatable for a length")
    scripts.write(
        "liar",
        f"""
local liar = {{}}
function liar:start()
  {word}(setmetatable({{}}, {{ __len = function() return 1e15 end }}))
end
return liar
""",
    )
    world = make_world(limits=Limits(memory=2**21))

    world.spawn("liar")

    assert [problem.message for problem in world.problems] == [f"{word}: entry 1: expected a function, got nil"]


def test_a_script_can_have_limits_of_its_own(make_world, scripts, lua):
    if lua == "luajit21":
        pytest.skip("luajit21 has no limits")
    busy = "return { update = function() for i = 1, 200000 do end end }"
    scripts.write("mods/free", busy)
    scripts.write("door", busy)
    world = make_world()
    world.limit("mods/*", Limits(instructions=10_000))

    world.spawn("door")
    world.spawn("mods/free")
    world.tick(0.1)

    assert [(problem.script, "10,000 instructions" in problem.message) for problem in world.problems] == [
        ("scripts/mods/free.lua", True)
    ]


@pytest.mark.parametrize("isolation", ["entity"])
def test_who_is_born_is_under_the_limits_that_were_said_last(make_world, scripts):
    scripts.write("door", "return { start = function() end }")
    world = make_world()

    states = []
    for errors in (None, 3, 3, 5):
        if errors is not None:
            world.limit("do*", world.limits.but(errors=errors))
        states.append(world.spawn("door").actor.limits)

    assert states == [world.limits, *(world.limits.but(errors=errors) for errors in (3, 3, 5))]


@pytest.mark.row("G1")
@pytest.mark.parametrize("isolation", ["script"])
def test_entities_that_share_a_state_go_on_beside_one_that_is_stopped(make_world, scripts, lua):
    if lua == "luajit21":
        pytest.skip("luajit21 has no limits")
    scripts.write(
        "twin",
        """
        local twin = {}
        function twin:start() self.n = 0 end
        function twin:update()
          self.n = self.n + 1
          while self.bad do end
        end
        return twin
        """,
    )
    world = make_world(limits=Limits(instructions=100_000))
    first, bad, last = world.spawn("twin"), world.spawn("twin", bad=True), world.spawn("twin")

    for _ in range(3):
        world.tick(0.1)

    for twin in (first, last):
        with twin.self.upgrade() as self_:
            assert self_["n"] == 3
    assert bad.alive
    assert world.problems[0].count == 3


@pytest.mark.parametrize("lua", PUC)
@pytest.mark.row("C8")
def test_the_many_children_of_a_group_end_in_order_and_a_clean_up_that_loops_is_stopped(make_world, scripts, lua):
    scripts.write(
        "crowd",
        """
        local crowd = {}
        function crowd:start()
          self.ended, self.stopped_at = "", 0
          task.group(function(g)
            for i = 1, 300 do
              g.spawn(function()
                task.finally(function()
                  while i == 150 do end
                  self.ended = self.ended .. i .. " "
                end)
                wait(9)
              end)
            end
            wait()
            g.cancel()
          end)
        end
        return crowd
        """,
    )
    world = make_world(limits=Limits(instructions=300_000))
    crowd = world.spawn("crowd")

    for _ in range(3):
        world.tick(1 / 60)

    with crowd.self.upgrade() as self_:
        assert self_["ended"] == "".join(f"{i} " for i in range(1, 301) if i != 150)
    assert [problem.line for problem in world.problems if "(Limits.instructions)" in problem.message] == [8]


INSERTS = (
    "t, 'c'", "t, nil", "t, 1, 'c'", "t, 3, nil", "t, nil, 'c'", "t, 'x', 'c'", "t, 9, 'c'", "t", "t, 1, 2, 3",
    "nil, 1", "t, (function() end)()", "setmetatable(t, { __newindex = function(_, k) error('at ' .. k) end }), 'c'",
    "setmetatable(t, { __len = function() return 7 end }), 'c'",
)  # fmt: skip


@pytest.mark.parametrize("lua", PUC)
def test_insert_does_what_luas_own_does(lua):
    call = "local t = {{'a', 'b'}} local ok, why = pcall(function() return table.insert({}) end) return ok, why, t"

    def results(limits: Limits) -> list[object]:
        with LuaState(lua, limits=limits) as state:
            return [state.run(call.format(arguments)) for arguments in INSERTS]

    assert results(Limits()) == results(Limits.off())


@pytest.mark.parametrize("lua", PUC)
def test_who_is_closed_for_its_stops_listens_to_nothing_that_it_asked_for_after_them(make_world, scripts, lua):
    scripts.write(
        "loop",
        """
        return { start = function()
          for _ = 1, 3 do
            task.delay(0.1, function() while true do end end)
          end
          task.delay(0.1, function() bus.on("x", print) shared.watch("k", print) end)
        end }
        """,
    )
    world = make_world(limits=Limits(instructions=100_000, errors=1))
    world.spawn("loop")
    world.tick(0.1)

    assert "tasks of this state were stopped 3 times" in messages(world)[-1]
    assert (world.entities, world.stats().subscriptions, world.leaks()) == ([], 0, [])
