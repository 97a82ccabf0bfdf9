"""Handles hold Lua values weakly; proxies hold them for the time of a `with`."""

import copy
import gc
import pickle
import threading
import types
import weakref
from importlib import import_module

import pytest

from engine import (
    FunctionHandle,
    HandleReleased,
    LuaState,
    PayloadError,
    ScriptError,
    StateBusy,
    StateClosed,
)
from helpers import ticks

MANY = 2_000

BAG = """
    local bag = {}

    function bag:init()
      self.items = { "sword" }
      self.double = function(x) return 2 * x end
      self.tell = function(x) bus.emit("told", x); self.x = x end
      self.grow = function(x) task.spawn(function() wait(0.5); bus.emit("grown", x) end) end
    end

    return bag
"""


@pytest.fixture
def state(lua):
    with LuaState(lua) as state:
        yield state


@pytest.fixture
def bag(world, scripts):
    scripts.write("bag", BAG)
    return world.spawn("bag", x=0, y=0)


@pytest.fixture
def double(bag):
    """A handle to a function of the bag's script."""
    return handle_of(bag, "double")


def handle_of(entity, field):
    with entity.self.upgrade() as self_:
        return entity.actor.own(self_[field])


def kept(state):
    return state.function("handles", "count")()


# Life.


@pytest.mark.row("D5")
def test_a_handle_upgrades_while_its_state_lives(state):
    handle = state.own({"hp": 3})

    assert handle.alive
    with handle.upgrade() as table:
        assert table["hp"] == 3
    with handle.try_upgrade() as table:
        assert table["hp"] == 3


@pytest.mark.row("D5")
def test_a_handle_is_dead_when_its_state_is_closed(state):
    handle, function = state.own({}), state.run("return function() end")

    state.close()

    assert not handle.alive and not function.alive
    assert handle.try_upgrade() is None and function.try_upgrade() is None
    for use in (handle.upgrade, function.upgrade, function, function.submit):
        with pytest.raises(StateClosed, match="state is closed"):
            use()


@pytest.mark.row("D5")
def test_a_handle_refuses_use_after_release(state):
    handle = state.own({})

    handle.release()
    handle.release()

    assert not handle.alive
    assert handle.try_upgrade() is None
    with pytest.raises(HandleReleased, match="the handle of a value of state was released"):
        handle.upgrade()


@pytest.mark.row("D5")
def test_a_proxy_keeps_the_state_until_its_with_ends(lua, no_gc):
    state = LuaState(lua)
    handle = state.own({"hp": 3})
    reference = weakref.ref(state)

    with handle.upgrade() as table:
        del state
        assert handle.alive
        assert table["hp"] == 3

    assert reference() is None
    assert not handle.alive
    with pytest.raises(HandleReleased, match="a `with` that has ended"):
        table["hp"]


@pytest.mark.row("D5")
def test_closing_a_state_lets_an_open_proxy_finish(state):
    handle = state.own({"hp": 3, "inner": {"a": 1}})

    with handle.upgrade() as table:
        inner = table["inner"]
        state.close()
        assert not state.alive and not handle.alive
        assert table["hp"] == 3 and inner["a"] == 1

    for proxy in (table, inner):
        with pytest.raises(HandleReleased):
            proxy["hp"]


@pytest.mark.row("D5")
def test_destroying_an_entity_lets_an_open_proxy_read_to_the_end(bag, world):
    with bag.self.upgrade() as self_:
        bag.destroy()
        assert self_["x"] == 0
        assert world.stats().states == 1

    assert world.stats().states == 0


def test_everything_read_through_a_proxy_ends_with_it(state):
    state.run("t = { a = { b = { c = 1 } }, f = function() end }")

    with state.globals.upgrade() as names:
        deep, function = names["t"]["a"]["b"], names["t"]["f"]
        assert deep["c"] == 1

    for use in (lambda: deep["c"], function, lambda: deep == deep):
        with pytest.raises(HandleReleased):
            use()


def test_an_inner_with_ends_its_own_proxy_only(state):
    state.run("t = { a = 1 }")

    with state.globals.upgrade() as names:
        with names["t"] as inner:
            assert inner["a"] == 1
        with pytest.raises(HandleReleased):
            inner["a"]
        assert names["t"]["a"] == 1


def test_proxies_that_are_dropped_release_their_values_at_once(state):
    state.run("t = {} for i = 1, 100 do t[i] = {} end")

    with state.globals.upgrade() as names:
        for _ in range(20):
            assert all(len(names["t"][i]) == 0 for i in range(1, 101))
        assert kept(state) < 10


@pytest.mark.row("D6")
def test_the_same_table_comes_back(state):
    state.run("t = {}; function is_t(x) return rawequal(x, t) end")
    with state.globals.upgrade() as names:
        handle = state.own(names["t"])

    assert state.call("is_t", handle) is True
    assert state.call("is_t", state.own({})) is False
    with handle.upgrade() as table, state.globals.upgrade() as names:
        assert table == names["t"]
        names["again"] = handle
    assert state.run("return rawequal(t, again)") is True


@pytest.mark.row("D6")
def test_a_stale_handle_never_answers_for_a_value_made_later(state):
    stale = [state.own({"old": i}) for i in range(100)]
    keys = [handle._key for handle in stale]
    for handle in stale:
        handle.release()
    kept(state)
    fresh = [state.own({"new": i}) for i in range(100)]

    assert not {handle._key for handle in fresh} & set(keys)
    for handle in stale:
        assert handle.try_upgrade() is None


@pytest.mark.row("D6")
def test_a_handle_to_self_is_dead_after_a_reload(world, scripts):
    scripts.write("door", "local door = {} function door:init() self.open = true end return door")
    door = world.spawn("door")
    handle = door.self

    world.reload("door")
    world.tick(0.1)

    assert world.problems == []
    assert not handle.alive and handle.try_upgrade() is None
    with door.self.upgrade() as self_:
        assert self_["open"] is True


def test_a_handle_of_another_state_is_refused_with_both_names(lua):
    with LuaState(lua, name="left") as left, LuaState(lua, name="right") as right:
        left.run("function f(x) end")

        with pytest.raises(PayloadError, match=r"a handle of right cannot be used on left"):
            left.call("f", right.own({}))
        with left.globals.upgrade() as names, right.globals.upgrade() as others:
            with pytest.raises(PayloadError, match=r"a value of right cannot be used on left"):
                names["x"] = others


def test_handles_and_proxies_are_neither_copied_nor_pickled(state):
    handle = state.own({})

    for work in (copy.copy, copy.deepcopy, pickle.dumps):
        with pytest.raises(TypeError, match="cannot be copied or pickled"):
            work(handle)
        with handle.upgrade() as table, pytest.raises(TypeError, match="cannot be copied or pickled"):
            work(table)


# What is not held.


@pytest.mark.row("D1")
def test_a_lupa_table_kept_by_what_its_script_reaches_leaks(lua):
    runtime = import_module(f"lupa.{lua}").LuaRuntime()
    living = weakref.WeakSet()

    class Raw:
        def __init__(self):
            self.table = runtime.table()
            self.table["owner"] = self
            living.add(self)

    for _ in range(MANY):
        Raw()
    collect(lambda: runtime.execute("collectgarbage()"))

    assert len(living) == MANY


@pytest.mark.row("D1")
def test_the_same_with_handles_leaks_nothing(state):
    living = weakref.WeakSet()

    class Owner:
        def __init__(self, id):
            self.table = state.own({"owner": id})
            self.hear = state.run("local owner = ...; return function() return owner end")
            living.add(self)

    for id in range(MANY):
        Owner(id)
    collect(lambda: state.memory)

    assert len(living) == 0
    assert kept(state) == 0


@pytest.mark.row("D4")
def test_no_strong_path_leads_from_a_handle_to_the_runtime(state):
    handle, function = state.own({}), state.run("return function() end")

    for start in (handle, function):
        reached = everything_behind(start)
        assert state.commons.ledger in reached
        assert not any(isinstance(thing, LuaState) or "lupa" in type(thing).__module__ for thing in reached)


@pytest.mark.row("D4")
def test_nothing_that_holds_the_runtime_is_held_by_a_handle(state):
    handle = state.own({})

    assert not any(thing is handle for thing in everything_before(state._runtime, depth=4))
    assert not any(thing is handle for thing in everything_before(state, depth=3) if thing is not state)


# The mapping.


def test_a_proxy_is_a_mapping(state):
    with state.own({"a": 1, "b": [1, 2], 3: "three"}).upgrade() as table:
        table["c"] = {"deep": True}
        table[2.0] = "two"
        del table["a"]

        assert "a" not in table and "b" in table and 3 in table and 2 in table
        assert table.get("a") is None and table.get("a", 7) == 7
        assert len(table) == 4
        assert sorted(map(str, table)) == ["2", "3", "b", "c"]
        assert dict(table.items())[2] == "two"
        assert table.to_dict() == {"b": [1, 2], 3: "three", "c": {"deep": True}, 2: "two"}
        with pytest.raises(KeyError):
            table["a"]
        with pytest.raises(KeyError):
            del table["a"]


def test_an_array_reads_as_a_list_or_as_a_dict_from_1(state):
    with state.own(["a", "b"]).upgrade() as table:
        assert table.copy() == ["a", "b"]
        assert table.to_dict() == {1: "a", 2: "b"}
        assert len(table) == 2


def test_setting_none_deletes_and_false_is_a_value(state):
    with state.own({"a": 1}).upgrade() as table:
        table["a"] = None
        table["b"] = False

        assert "a" not in table and "b" in table
        assert table["b"] is False


def test_a_big_table_crosses_whole(state):
    state.run("t = {} for i = 1, 20000 do t[i] = i end")
    with state.globals.upgrade() as names:
        names["flags"] = [True] * 20_000

        assert names["t"].keys() == list(range(1, 20_001))
        assert len(names["flags"]) == 20_000
        assert names["flags"].copy() == [True] * 20_000


def test_defaults_of_a_script_are_found_and_not_copied(world, scripts):
    scripts.write("door", "local door = { properties = { open = false } } function door:knock() end return door")
    door = world.spawn("door", x=1)

    with door.self.upgrade() as self_:
        assert self_["knock"] is not None and "knock" in self_
        assert self_.to_dict() == {"open": False, "x": 1}
        with pytest.raises(KeyError):
            del self_["knock"]


def test_a_write_from_python_shows_in_the_next_frame_though_the_entity_sleeps(world, bag):
    world.tick(0.1)
    with bag.self.upgrade() as self_:
        self_["x"] = 50

    world.tick(0.1)

    assert bag.position == (50, 0)


@pytest.mark.row("D9")
def test_hostile_metatables_have_no_effect(state):
    state.run("""
        local function no() error("never") end
        local hostile = { __index = no, __newindex = no, __len = no, __pairs = no, __eq = no, __call = no,
          __tostring = no, __name = no, __concat = no, __unm = no, __close = no, __mode = "k" }
        bad = setmetatable({ x = 1, inner = setmetatable({}, hostile) }, hostile)
        hidden = setmetatable({ y = 2 }, { __metatable = "hidden", __index = setmetatable({}, hostile) })
        circle = {}
        setmetatable(circle, { __index = circle })
    """)
    with state.globals.upgrade() as names:
        bad, hidden, circle = names["bad"], names["hidden"], names["circle"]
        bad["new"] = 5
        del bad["x"]
        hidden["z"] = bad

        assert bad["new"] == 5 and "x" not in bad and len(bad) == 2 and sorted(bad) == ["inner", "new"]
        assert bad.get("missing") is None and circle.get("missing") is None and hidden.get("missing") is None
        assert hidden["z"] == bad
        with pytest.raises(PayloadError, match="metatable"):
            bad.to_dict()
    assert state.run("return 1") == 1


@pytest.mark.row("D9")
@pytest.mark.parametrize(
    ("key", "why"),
    [
        (float("nan"), "NaN cannot be the key"),
        (None, "None cannot be the key of a table: it is a NoneType"),
        ((1, 2), "it is a tuple"),
        (2**70, "integers must be within"),
        ("\udc80", "lone surrogates"),
    ],
)
def test_what_cannot_be_a_key_is_an_error(state, key, why):
    with state.own({}).upgrade() as table:
        for use in (
            lambda: table[key],
            lambda: table.__setitem__(key, 1),
            lambda: table.__delitem__(key),
            lambda: key in table,
        ):
            with pytest.raises(PayloadError, match=why):
                use()


@pytest.mark.row("D9")
def test_keys_at_the_edge_work(state):
    keys = ["", b"\xff\x00", float("inf"), -float("inf"), 0.5, True, False, -1, 2**53]
    with state.own({}).upgrade() as table:
        for key in keys:
            table[key] = repr(key)

        assert len(table) == len(keys)
        assert all(table[key] == repr(key) for key in keys)


@pytest.mark.row("D9")
def test_a_table_may_change_while_it_is_walked(state):
    state.run("t = {} for i = 1, 100 do t['k' .. i] = i end")
    seen = []
    with state.globals.upgrade() as names:
        table = names["t"]
        for key in table:
            seen.append(key)
            del table[key]
            table["new" + key] = 1
            state.run("for i = 1, 100 do t['more' .. i .. math.random()] = 1 end")

    assert len(seen) == 100


@pytest.mark.row("D9")
def test_what_cannot_leave_is_an_error_at_its_key(state):
    state.run("co = coroutine.create(print); t = { co = co, n = 1 }")
    with state.globals.upgrade() as names:
        table = names["t"]

        assert "co" in table and len(table) == 2
        assert table.items() == [("n", 1)]
        with pytest.raises(PayloadError, match="'co' is a thread"):
            table["co"]
        with pytest.raises(PayloadError, match=r"value\.co: a thread"):
            table.to_dict()


def test_a_value_that_cannot_enter_is_an_error_that_names_its_place(state):
    with state.own({}).upgrade() as table:
        with pytest.raises(PayloadError, match=r"the value for 'a'\.b: a set object cannot enter a state"):
            table["a"] = {"b": set()}
        with pytest.raises(PayloadError, match="a function object"):
            table["f"] = lambda: None

        assert len(table) == 0


# Functions.


def test_an_error_in_a_called_function_is_a_script_error_with_its_line(bag, scripts, world):
    scripts.write(
        "bomb", "local bomb = {}\nfunction bomb:init()\n  self.go = function() error('boom') end\nend\nreturn bomb"
    )
    bomb = world.spawn("bomb")

    with pytest.raises(ScriptError) as caught:
        handle_of(bomb, "go")()

    assert (caught.value.message, caught.value.script, caught.value.line) == ("boom", "scripts/bomb.lua", 3)
    assert world.problems == []


def test_what_a_called_function_emits_and_starts_goes_on_in_the_next_frames(bag, world):
    heard = []
    world.bus.on("told", lambda event: heard.append((world.frame, event.payload)))
    world.bus.on("grown", lambda event: heard.append((world.frame, event.payload)))

    handle_of(bag, "tell")(3)
    handle_of(bag, "grow")(4)
    ticks(world, 3, 0.25)

    assert heard == [(1, 3), (2, 4)]


def test_submit_runs_on_the_ticking_thread_at_the_start_of_the_next_frame(bag, double, world):
    futures = []
    thread = threading.Thread(target=lambda: futures.append(double.submit(21)))
    thread.start()
    thread.join()
    (future,) = futures

    assert not future.done()
    world.tick(0.1)
    assert future.result(timeout=0) == 42


def test_submit_tells_of_errors_and_of_a_state_that_ended(bag, double, world):
    failing = double.submit("x")
    world.tick(0.1)
    orphaned = double.submit(1)
    bag.destroy()
    world.tick(0.1)

    with pytest.raises(ScriptError, match="attempt to"):
        failing.result(timeout=0)
    with pytest.raises(StateClosed):
        orphaned.result(timeout=0)


def test_a_submitted_call_can_be_cancelled_and_refuses_what_is_no_plain_data_at_once(bag, world):
    tell = handle_of(bag, "tell")
    future = tell.submit(7)

    assert future.cancel()
    world.tick(0.1)

    with bag.self.upgrade() as self_:
        assert self_["x"] == 0
    with pytest.raises(PayloadError, match="argument 1: a set object"):
        tell.submit(set())
    with bag.self.upgrade() as self_, pytest.raises(PayloadError, match="hand over a handle"):
        tell.submit(self_)


def test_a_submitted_call_keeps_its_function_and_arguments(bag, world):
    with bag.self.upgrade() as self_:
        items = bag.actor.own(self_["items"])
    future = handle_of(bag, "double").submit(4)
    with_handle = handle_of(bag, "tell").submit(items)
    del items

    world.tick(0.1)

    assert future.result(timeout=0) == 8
    assert isinstance(with_handle.exception(timeout=0), type(None) | ScriptError)


def test_closing_the_world_ends_what_was_submitted(bag, double, world):
    future = double.submit(1)

    world.close()

    with pytest.raises(StateClosed):
        future.result(timeout=0)


def test_a_state_without_a_world_says_to_call_directly(state):
    function = state.run("return function() end")

    with pytest.raises(Exception, match="call the handle itself"):
        function.submit()


def test_a_call_from_another_thread_while_the_world_ticks_says_to_submit(bag, double, world):
    errors = []

    def call():
        try:
            double(1)
        except StateBusy as error:
            errors.append(str(error))

    def listen(_):
        thread = threading.Thread(target=call)
        thread.start()
        thread.join()

    world.bus.on("now", listen)
    world.bus.emit("now")
    world.tick(0.1)

    assert len(errors) == 1 and "use handle.submit" in errors[0]
    assert double(1) == 2


def test_a_listener_may_call_a_handle_while_the_world_ticks(bag, double, world):
    heard = []
    world.bus.on("now", lambda event: heard.append(double(event.payload)))

    world.bus.emit("now", 4)
    world.tick(0.1)

    assert heard == [8]


def test_a_function_handle_is_passed_back_into_its_state_as_itself(state):
    state.run("function compose(f, g) return function(x) return f(g(x)) end end")
    twice, plus = state.run("return function(x) return x * 2 end, function(x) return x + 1 end")

    composed = state.call("compose", twice, plus)

    assert isinstance(composed, FunctionHandle)
    assert composed(4) == 10


# Walks over Python's own objects.


def everything_behind(start):
    """All that `start` refers to, directly or not; not what code and classes refer to."""
    seen, todo = {id(start): start}, [start]
    while todo:
        for thing in gc.get_referents(todo.pop()):
            if id(thing) not in seen and not isinstance(thing, type | types.ModuleType | types.FunctionType):
                seen[id(thing)] = thing
                todo.append(thing)
    return list(seen.values())


def everything_before(target, depth):
    """All that refers to `target`, over so many steps; frames aside."""
    seen, layer = {id(target): target}, [target]
    for _ in range(depth):
        found = [thing for each in layer for thing in gc.get_referrers(each)]
        layer = [
            thing
            for thing in found
            if id(thing) not in seen and not isinstance(thing, types.FrameType | types.ModuleType | list)
        ]
        seen.update((id(thing), thing) for thing in layer)
    return [thing for thing in seen.values() if thing is not target]


def collect(lua_collect):
    """Both collectors, several times in turn: each may free what the other one holds."""
    for _ in range(5):
        gc.collect()
        lua_collect()
