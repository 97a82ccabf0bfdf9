"""Handles hold Lua values weakly; proxies hold them for the time of a `with`."""

import copy
import gc
import pickle
import types
import weakref
from importlib import import_module

import pytest

from engine import HandleReleased, LuaState, PayloadError, StateClosed

MANY = 2_000


@pytest.fixture
def state(lua):
    with LuaState(lua) as state:
        yield state


def kept(state):
    return state.function("handles", "count")()


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
def test_destroying_an_entity_lets_an_open_proxy_read_to_the_end(world, scripts):
    scripts.write("bag", "return {}")
    bag = world.spawn("bag", x=0)
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
    with pytest.raises(StateClosed, match="entity 1 is closed, as it ended or was reloaded"):
        handle.upgrade()
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


@pytest.mark.row("A5")
def test_a_handle_of_an_entity_of_another_world_is_refused_as_such(make_world, scripts):
    scripts.write("door", "return { init = function(self) self.f = function() end end }")
    here, there = make_world().spawn("door"), make_world().spawn("door")

    with here.self.upgrade() as self_, there.self.upgrade() as strange:
        with pytest.raises(
            PayloadError, match=r"of another entity 1, which is none of this world, cannot be used on entity 1"
        ):
            self_["f"](there.self)
        with pytest.raises(PayloadError, match=r"a value of another entity 1, which is none of this world"):
            self_["other"] = strange


def test_a_field_asked_of_a_handle_is_refused_with_the_way_to_it(state):
    handle = state.own({"gold": 3})

    with pytest.raises(TypeError, match=r"with handle\.upgrade\(\) as table: table\['gold'\]$"):
        handle["gold"]
    with pytest.raises(TypeError, match=r"with handle\.upgrade\(\) as table: table\['gold'\] = "):
        handle["gold"] = 4
    with handle.upgrade() as table:
        assert table["gold"] == 3


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
    collect(lambda: state.trusted("collect"))

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
