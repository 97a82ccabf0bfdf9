"""A proxy is a Lua table as a mapping; nothing that a script prepared can hurt who reads it."""

import pytest

from engine import LuaState, PayloadError


@pytest.fixture
def state(lua):
    with LuaState(lua) as state:
        yield state


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


def test_a_proxy_is_updated_and_popped_like_a_dict(state):
    with state.own({"a": 1}).upgrade() as table, state.own({"c": {"deep": True}}).upgrade() as other:
        table.update({"b": 2, 3: "three"}, d=4)
        table.update([("e", 5)])
        table.update(other)

        assert table["c"] == other["c"]
        assert table.pop("a") == 1 and table.pop("a", None) is None and table.pop("c")["deep"] is True
        assert dict(zip(table.keys(), table.values(), strict=True)) == {"b": 2, 3: "three", "d": 4, "e": 5}
        with pytest.raises(KeyError):
            table.pop("a")
        with pytest.raises(TypeError):
            reversed(table)


def test_pop_takes_the_tables_own_field_and_no_default_of_the_script(world, scripts):
    scripts.write("door", "return { properties = { open = false }, knock = function() end }")
    with world.spawn("door").self.upgrade() as self_:
        assert self_.pop("knock", "none") == "none"
        with pytest.raises(KeyError):
            self_.pop("knock")

        assert "knock" in self_


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


def test_a_write_from_python_shows_in_the_next_frame_though_the_entity_sleeps(world, scripts):
    scripts.write("bag", "return {}")
    bag = world.spawn("bag", x=0, y=0)
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
