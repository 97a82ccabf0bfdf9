"""A Lua state without a world: what goes in, what comes out, what goes wrong."""

import gc
import re
import sys
import weakref

import pytest

from engine import (
    EngineError,
    FunctionHandle,
    HandleReleased,
    Limits,
    LuaState,
    PayloadError,
    ScriptError,
    StateClosed,
    TableHandle,
)
from engine.lua import versions
from engine.lua.runtime import Runtime


@pytest.fixture
def state(lua):
    with LuaState(lua) as state:
        yield state


def test_run_gives_what_the_text_returns(state):
    assert state.run("return 1, 2.5, true, 'x', { 1, 2 }, { a = { b = 1 } }") == (
        1,
        2.5,
        True,
        "x",
        [1, 2],
        {"a": {"b": 1}},
    )


def test_run_gives_none_for_nothing_and_keeps_nils_between_values(state):
    assert state.run("") is None
    assert state.run("return nil") is None
    assert state.run("return nil, 1, nil") == (None, 1, None)


def test_globals_of_one_run_are_there_in_the_next_and_in_no_other_state(state, lua):
    state.run("score = 5")

    assert state.run("return score") == 5
    with LuaState(lua) as other:
        assert other.run("return score") is None


def test_bytes_survive(state):
    raw = bytes(range(256))
    state.run("function same(x) return x, #x end")

    assert state.call("same", raw) == (raw, 256)
    assert state.call("same", "grüße") == ("grüße", 7)


def test_call_takes_plain_data_and_handles(state):
    state.run("function add(t, n) t.sum = (t.sum or 0) + n; return t.sum end")
    box = state.own({"sum": 10})

    assert state.call("add", box, 5) == 15
    with box.upgrade() as table:
        assert table["sum"] == 15


def test_long_arguments_and_results_cross_whole(state):
    numbers = list(range(8_000))
    state.run("function same(...) return ... end")

    assert state.call("same", numbers, [numbers[:100]], "end") == (numbers, [numbers[:100]], "end")


def test_a_function_comes_back_as_a_handle(state):
    double = state.run("return function(x) return 2 * x end")

    assert isinstance(double, FunctionHandle)
    assert double(21) == 42
    assert state.call(double, 4) == 8


def test_too_many_results_are_refused(state):
    state.run("function many(n) local t = {} for i = 1, n do t[i] = i end return (table.unpack or unpack)(t) end")

    assert len(state.call("many", 200)) == 200
    with pytest.raises(PayloadError, match="at most 200 values to Python, got 201"):
        state.call("many", 201)


def test_a_result_that_is_no_plain_data_is_refused_with_its_path_and_keeps_nothing(state):
    with pytest.raises(PayloadError, match=r"result 2\.deep\.f: a function cannot leave its state"):
        state.run("return function() end, { deep = { f = print } }")
    with pytest.raises(PayloadError, match="a thread cannot leave its state"):
        state.run("return coroutine.create(print)")

    assert kept(state) == 0


def test_an_error_has_script_line_and_traceback(state):
    with pytest.raises(ScriptError) as caught:
        state.run("local function inner()\n  error('broken')\nend\ninner()\n", chunk="door.lua")

    error = caught.value
    assert (error.message, error.script, error.line) == ("broken", "door.lua", 2)
    assert "door.lua:4" in error.traceback
    assert "tidelock" not in error.traceback


def test_a_text_that_does_not_compile_names_the_line(state):
    with pytest.raises(ScriptError) as caught:
        state.run("x = 1\nx = = 2", chunk="door.lua")

    assert (caught.value.script, caught.value.line) == ("door.lua", 2)


def test_errors_that_are_no_strings_are_told(state):
    with pytest.raises(ScriptError, match="too hot"):
        state.run("error({ message = 'too hot' })")
    with pytest.raises(ScriptError, match="code = 7"):
        state.run("error({ code = 7 })")
    with pytest.raises(ScriptError, match=r"without a message|no error object"):
        state.run("error()")


def test_an_error_leaves_the_state_usable(state):
    for _ in range(50):
        with pytest.raises(ScriptError):
            state.run("local t = nil; return t.x")

    assert state.run("return 1") == 1


def test_bytecode_is_refused(state):
    with pytest.raises(ScriptError, match=r"binary chunk|wrong mode"):
        state.run(b"\x1bLua")


def test_a_call_cannot_wait(state):
    with pytest.raises(ScriptError, match="a chunk run from Python cannot wait"):
        state.run("wait(1)")


@pytest.mark.parametrize(
    "call",
    ["entity.spawn('door')", "entity.find('door')", "entity.exists(1)", "shared.get('score')", "input.down('use')",
     "input.axis('left', 'right')", "input.mouse()"],
)  # fmt: skip
def test_what_only_a_world_knows_is_an_error_of_the_line_that_asks(state, call):
    word = call.partition("(")[0]

    with pytest.raises(ScriptError, match=rf"^chunk:2: {word}: this state has no world, so no"):
        state.run(f"local answer\nanswer = {call}")


@pytest.mark.row("A5")
def test_a_function_of_another_state_is_not_called(state, lua):
    with LuaState(lua, name="other") as other:
        with pytest.raises(PayloadError, match="a handle of other cannot be used on state"):
            state.call(other.run("return function() return 1 end"))


def test_calling_what_is_no_function_is_an_error(state):
    state.run("answer = 42")

    with pytest.raises(ScriptError, match="'answer' is no function of state, it is 42"):
        state.call("answer")


def test_own_makes_a_new_table(state):
    handle = state.own({"hp": 3, "items": ["sword"]})

    assert isinstance(handle, TableHandle)
    with handle.upgrade() as table:
        assert table.to_dict() == {"hp": 3, "items": ["sword"]}


def test_own_of_a_proxy_is_a_handle_to_the_same_value(state):
    state.run("t = {}")
    with state.globals.upgrade() as names:
        handle = state.own(names["t"])

    with handle.upgrade() as table, state.globals.upgrade() as names:
        assert table == names["t"]


@pytest.mark.parametrize("value", [1, "x", None, object()])
def test_own_refuses_what_is_no_table(state, value):
    with pytest.raises(PayloadError, match="own: expected a dict, a list or a proxy"):
        state.own(value)


def test_memory_grows_and_shrinks_with_what_is_kept(state):
    before = state.memory
    state.run("big = {} for i = 1, 1e5 do big[i] = i end")
    grown = state.memory
    state.run("big = nil")
    for _ in range(20):
        state.run("local t = {} for i = 1, 1e4 do t[i] = {} end")

    assert grown > before + 500_000
    assert state.memory < grown + 2_000_000


def test_the_same_seed_draws_the_same_numbers(lua):
    def draws(seed):
        with LuaState(lua, seed=seed) as state:
            return state.run("return math.random(1, 1000000), math.random(), math.random(6)")

    assert draws(7) == draws(7)
    assert draws(7) != draws(8)


def test_a_closed_state_refuses_everything(state):
    state.close()
    state.close()

    assert not state.alive
    for use in (
        lambda: state.run("return 1"),
        lambda: state.call("print"),
        lambda: state.own({}),
        lambda: state.globals,
        lambda: state.memory,
    ):
        with pytest.raises(StateClosed, match="state is closed"):
            use()


@pytest.mark.row("D2")
def test_a_state_is_freed_by_reference_count(lua, no_gc):
    state = LuaState(lua)
    state.run("t = { f = function() return t end }")
    handle = state.run("return function() end")
    state.globals  # noqa: B018 - the state keeps this handle itself
    reference = weakref.ref(state)

    del state

    assert reference() is None
    assert not handle.alive


def test_the_limits_of_a_state_hold(lua):
    with LuaState(lua, limits=Limits(instructions=None, seconds=None, memory=None, payload=100)) as state:
        with pytest.raises(PayloadError, match="larger than 100 bytes"):
            state.own(list(range(50)))
        with pytest.raises(PayloadError, match="larger than 100 bytes"):
            state.run("return string.rep('x', 200)")


def test_an_unknown_version_is_an_error_that_names_those_there_are():
    with pytest.raises(EngineError, match="lua55, lua54, luajit21, got 'lua99'"):
        LuaState("lua99")


@pytest.mark.parametrize(
    ("absent", "way_out"),
    [
        (["lupa", "lupa.lua55"], 'lupa is not installed for this Python: pip install "lupa>=2.8"'),
        (["lupa.lua55"], 'install a newer one, pip install -U "lupa>=2.8"'),
        (["lupa.lua54"], "use lua55, which every wheel has"),
    ],
)
def test_a_version_that_is_not_installed_is_told_with_the_way_out(monkeypatch, absent, way_out):
    for name in absent:
        monkeypatch.setitem(sys.modules, name, None)
    versions._module.cache_clear()

    with pytest.raises(EngineError, match=re.escape(way_out)):
        LuaState(absent[-1].removeprefix("lupa."))


def test_names_of_globals_come_back_after_the_with_as_an_error(state):
    with state.globals.upgrade() as names:
        names["x"] = 1

    with pytest.raises(HandleReleased):
        names["x"]
    assert state.run("return x") == 1


def kept(state):
    """How many values Python holds in there, after what was dropped is let go."""
    gc.collect()
    return state.function("handles", "count")()


def test_random_numbers_are_those_of_the_published_generator(lua):
    first, second = 4294967087, 4294944443
    runtime = Runtime(lua, 1, Limits.off())
    new, draw = runtime.get_all("random", "new", "random", "next")
    numbers = new(7.25)
    a, b, c, d, e, f = (int(numbers[place]) for place in range(1, 7))

    def word():
        nonlocal a, b, c, d, e, f
        a, b, c = b, c, (1403580 * b - 810728 * a) % first
        d, e, f = e, f, (527612 * f - 1370589 * d) % second
        return (c - f) % first

    for _ in range(100):
        high, low = word() // 32 % 2**26, word() // 16 % 2**27
        assert draw(numbers) == (high * 2**27 + low) / 2**53
