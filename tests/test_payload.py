"""Plain data crosses unchanged, everything else is refused with its path, on both sides alike."""

import enum
import math
import struct
from bisect import bisect_left
from importlib import import_module
from importlib.resources import files
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import PayloadError
from engine.payload import decode, encode

pytestmark = pytest.mark.row("A11")

HARNESS = b"""
local payload = ...
local unpack, load = table.unpack or unpack, loadstring or load
local side = {}

local function encoded(value, bytes, depth)
  local out = { "kept" }
  local shape, n = payload.encode(value, out, 1, { bytes = bytes, depth = depth })
  assert(out[1] == "kept" and (shape or out[2] == nil))
  if not shape then
    return nil, n
  end
  return shape, unpack(out, 2, n)
end

function side.echo(bytes, depth, shape, ...)
  local value, last = payload.decode(shape, { "before", ... }, 2)
  assert(last == 2 + select("#", ...))
  return encoded(value, bytes, depth)
end

function side.eval(source, bytes, depth)
  return encoded(assert(load(source))(), bytes, depth)
end

function side.run(source)
  return assert(load(source))(payload)
end

return side
"""


class LuaSide:
    """The Lua half of the payloads in a bare runtime."""

    def __init__(self, version: str) -> None:
        self.integers_only_to = 2**53 if version == "luajit21" else 2**63 - 1
        runtime = import_module(f"lupa.{version}").LuaRuntime(encoding=None)
        load = runtime.eval(b"function(source, ...) return assert((loadstring or load)(source, '@test'))(...) end")
        prelude = runtime.table()
        prelude[b"later"] = runtime.eval(b"function(prelude) return function(name) return prelude[name] end end")(
            prelude
        )
        for name in ("spelling", "reading", "payload"):
            source = files("engine.lua").joinpath(f"prelude/{name}.lua").read_bytes()
            prelude[name.encode()] = load(source, prelude)
        self._side = load(HARNESS, prelude[b"payload"])

    def encode(self, source: str, *, size: int = 65536, depth: int = 32) -> tuple[bytes, tuple[Any, ...]]:
        """What the Lua side makes of the value that `source` returns."""
        return _wire(self._side[b"eval"](source.encode(), size, depth))

    def echo(
        self, shape: bytes, values: tuple[Any, ...], *, size: int = 65536, depth: int = 32
    ) -> tuple[bytes, tuple[Any, ...]]:
        """Decode there, and encode again."""
        return _wire(self._side[b"echo"](size, depth, shape, *values))

    def run(self, source: str) -> Any:
        """The value of a Lua chunk that gets the module as `...`."""
        return self._side[b"run"](source.encode())


def _wire(returned: Any) -> tuple[bytes, tuple[Any, ...]]:
    if not isinstance(returned, tuple):
        return returned, ()
    if returned[0] is None:
        raise PayloadError(returned[1].decode())
    return returned[0], returned[1:]


# One state for all tests of a version, so that its memories are warm, as in a game.
@pytest.fixture(scope="module")
def side(lua: str) -> LuaSide:
    return LuaSide(lua)


@pytest.fixture
def fresh_side(lua: str) -> LuaSide:
    return LuaSide(lua)


def payloads(highest: int = 2**63 - 1) -> st.SearchStrategy[Any]:
    integers = st.integers(-highest, highest)
    # A key must not be there both as text and as its bytes.
    keys = st.text(max_size=6) | integers | st.integers(0, 6) | st.binary(max_size=4).map(b"\xff".__add__)
    leaves = st.booleans() | integers | st.floats() | st.text(max_size=12) | st.binary(max_size=12)
    return st.none() | st.recursive(
        leaves,
        lambda inner: st.lists(inner, max_size=5) | st.dictionaries(keys, inner, max_size=5),
        max_leaves=16,
    )


def exact(value: Any, *, one_number: bool = False) -> Any:
    """Something that is equal only for the same types and bits; `one_number` for LuaJIT, which has one kind.

    An empty list and an empty dict are the same, as in Lua.
    """
    if isinstance(value, (list, tuple)) and value:
        return [exact(item, one_number=one_number) for item in value]
    if isinstance(value, dict):
        return {plain_text(key): exact(item, one_number=one_number) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return {}
    if isinstance(value, (str, bytes)):
        return plain_text(value)
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, float) and math.isnan(value):
        return "NaN"
    if one_number:
        return ("number", float(value))
    return ("float", struct.pack("d", value)) if isinstance(value, float) else ("int", value)


def plain_text(value: Any) -> Any:
    """Text as payloads bring it: str where it is UTF-8."""
    try:
        return value.decode() if isinstance(value, bytes) else value
    except UnicodeDecodeError:
        return value


def as_lua_sees(value: Any) -> Any:
    """Lua knows no list but a table with the keys 1..n, and no empty one."""
    if isinstance(value, list) and value:
        return [as_lua_sees(item) for item in value]
    if isinstance(value, dict) and value and set(value) == set(range(1, len(value) + 1)):
        return [as_lua_sees(value[place]) for place in range(1, len(value) + 1)]
    if isinstance(value, dict):
        return {key: as_lua_sees(item) for key, item in value.items()}
    return {} if value == [] else value


@given(payloads())
def test_python_reads_back_what_it_wrote(value: Any) -> None:
    back = decode(*encode(value))

    assert exact(back) == exact(value)


@given(data=st.data())
@settings(max_examples=60)
def test_payloads_come_back_from_lua_as_they_went(side: LuaSide, lua: str, data: st.DataObject) -> None:
    value = data.draw(payloads(side.integers_only_to))

    back = decode(*side.echo(*encode(value)))

    one_number = lua == "luajit21"
    assert exact(back, one_number=one_number) == exact(as_lua_sees(value), one_number=one_number)


class Unusual(dict[str, Any]):
    """A dict that never takes the short way."""


@given(
    st.dictionaries(
        st.text(max_size=40), st.floats() | st.booleans() | st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=20
    ),
    st.integers(0, 300),
)
def test_a_table_of_numbers_is_written_the_short_way_as_the_long_one_writes_it(table: Any, size: int) -> None:
    def written(value: Any) -> str:
        try:
            return repr(encode(value, max_bytes=size))
        except PayloadError as error:
            return str(error)

    assert written(table) == written(Unusual(table))


@given(data=st.data())
@settings(max_examples=50)
def test_both_sides_write_the_same_shape_cold_and_hot(side: LuaSide, data: st.DataObject) -> None:
    value = as_lua_sees(data.draw(payloads(side.integers_only_to)))
    shape, values = encode(value)

    echoes = [side.echo(shape, values) for _ in range(5)]

    assert [echo[0] for echo in echoes] == [shape] * 5
    assert all(exact(echo[1], one_number=True) == exact(values, one_number=True) for echo in echoes)


@pytest.mark.parametrize(
    "source",
    [
        '{ kind = "damage", amount = 12.5, from = 12, pos = { x = 1, y = 2 }, tags = { "fire", "crit" } }',
        "{ { x = 1, y = true }, 5, 6, { 7, { 8 } }, 9, {} }",
        "{ [3] = 'c', [-1] = 'a', b = { z = 1, a = 2 }, a = { [10] = 1, [9] = 2 } }",
        "(function() local t = {} for i = 300, 1, -1 do t[i] = i end return { m = t, a = 1, z = 2 } end)()",
        "(function() local t = {} for i = 1, 200 do t[i] = { y = i, x = -i } end return t end)()",
    ],
)
def test_a_hot_payload_equals_a_cold_one(fresh_side: LuaSide, source: str) -> None:
    first = fresh_side.encode(f"return {source}")

    later = [fresh_side.echo(*fresh_side.encode(f"return {source}")) for _ in range(20)]

    assert later == [first] * 20
    assert encode(decode(*first)) == first


def test_the_order_in_which_keys_were_set_does_not_show(side: LuaSide) -> None:
    orders = ["a b c d", "d c b a", "b d a c", "c a d b"]

    encoded = {
        side.encode(f"local t = {{}} for k in ('{order}'):gmatch('%a') do t[k] = {{ k, [k] = k .. 1 }} end return t")
        for order in orders * 4
    }

    assert len(encoded) == 1


def test_integers_and_floats_stay_what_they_were(side: LuaSide, lua: str) -> None:
    if lua == "luajit21":
        pytest.skip("LuaJIT has one kind of number")
    values = [1, 1.0, -0.0, math.inf, -math.inf, 2**63 - 1, -(2**63), 2.0**63]

    back = decode(*side.echo(*encode(values)))

    assert exact(back) == exact(values)


def test_nan_is_a_value(side: LuaSide) -> None:
    assert math.isnan(decode(*side.echo(*encode({"x": math.nan})))["x"])


def test_an_empty_table_arrives_as_an_empty_table(side: LuaSide) -> None:
    assert encode([]) == encode({}) == encode(()) == side.encode("return {}") == (b"{}", ())
    assert decode(*side.echo(*encode({"list": []}))) == {"list": {}}


def test_integer_keys_stay_integers_beside_text_that_looks_like_them(side: LuaSide) -> None:
    value = {
        3: "three",
        "3": "text",
        -7: "minus",
        "i3:": "odd",
        "{1:a.}": "odder",
        "a\0b": "zero",
        "": "none",
    }

    for _ in range(5):
        assert decode(*side.echo(*encode(value))) == value


def test_long_arrays_have_short_shapes(side: LuaSide) -> None:
    shape, values = side.encode("local t = {} for i = 1, 1000 do t[i] = i end return { t, t }")

    assert shape == b"[[1000.][1000.]]"
    assert decode(shape, values) == [list(range(1, 1001))] * 2


def test_the_same_table_twice_is_two_copies(side: LuaSide) -> None:
    shared = {"x": 1}

    assert decode(*encode([shared, shared])) == [{"x": 1}, {"x": 1}]
    assert decode(*side.encode("local s = { x = 1 } return { s, s }")) == [{"x": 1}, {"x": 1}]
    assert side.run(
        "local p = ... local a = p.decode('[{1:x.}{1:x.}]', { 1, 2 }, 1) return a[1] ~= a[2] and a[2].x == 2"
    )


REFUSED_BY_LUA = [
    ("print", "payload: a function cannot leave its state"),
    ("{ weapon = { on_hit = print } }", "payload.weapon.on_hit: a function cannot leave its state"),
    ("{ list = { 1, 2, print } }", "payload.list[3]: a function cannot leave its state"),
    ("{ ['odd key'] = { [-5] = print } }", 'payload["odd key"][-5]: a function cannot leave its state'),
    ("{ ['a\"\\n'] = print }", 'payload["a\\034\\010"]: a function cannot leave its state'),
    ("{ [('k'):rep(50)] = print }", f'payload["{"k" * 40}..."]: a function cannot leave its state'),
    ("{ a = coroutine.create(print) }", "payload.a: a thread cannot leave its state"),
    ("{ a = io.stdout }", "payload.a: a userdata cannot leave its state"),
    ("{ a = setmetatable({}, {}) }", "payload.a: a table with a metatable cannot leave its state"),
    (
        "setmetatable({}, { __metatable = false, __pairs = error, __len = error, __index = error })",
        "payload: a table with a metatable cannot leave its state",
    ),
    (
        "(function() local t = {} t.me = { t } return t end)()",
        "payload.me[1]: a cycle: the table is inside itself",
    ),
    (
        "(function() local t = {} t[1] = t return { t } end)()",
        "payload[1][1]: a cycle: the table is inside itself",
    ),
    ("{ a = { [true] = 1 } }", "payload.a: keys must be strings or integers, got boolean true"),
    ("{ a = { [1.5] = 1 } }", "payload.a: keys must be strings or integers, got number 1.5"),
    ("{ 1, 2, [2.5] = 1 }", "payload: keys must be strings or integers, got number 2.5"),
    ("{ [math.huge] = 1 }", "payload: keys must be strings or integers, got number inf"),
    ("{ [{}] = 1 }", "payload: keys must be strings or integers, got a table"),
    ("{ [print] = 1 }", "payload: keys must be strings or integers, got a function"),
]


@pytest.mark.parametrize(("source", "reason"), REFUSED_BY_LUA)
def test_lua_refuses_with_the_path(side: LuaSide, source: str, reason: str) -> None:
    for _ in range(3):
        with pytest.raises(PayloadError) as caught:
            side.encode(f"return {source}")
        assert str(caught.value) == reason


def test_the_caller_names_the_value(side: LuaSide) -> None:
    shape_and_reason = side.run(
        "local p = ... return p.encode({ hp = print }, {}, 0, { bytes = 100, depth = 5 }, 'self')"
    )

    assert shape_and_reason == (None, b"self.hp: a function cannot leave its state")
    with pytest.raises(PayloadError, match=r"^properties\.hp: a set object"):
        encode({"hp": set()}, what="properties")


class Player:
    """Something of the game."""


def cyclic() -> Any:
    table: dict[str, Any] = {}
    table["me"] = [table]
    return table


REFUSED_BY_PYTHON = [
    (Player(), "payload: a Player object cannot enter a state; send plain data"),
    (
        {"weapon": {"on_hit": print}},
        "payload.weapon.on_hit: a builtin_function_or_method object cannot enter a state; send plain data",
    ),
    ({"list": [1, 2, object()]}, "payload.list[2]: an object object cannot enter a state; send plain data"),
    ({"odd key": {-5: {1}}}, 'payload["odd key"][-5]: a set object cannot enter a state; send plain data'),
    ({'a"\n': 1j}, 'payload["a\\034\\010"]: a complex object cannot enter a state; send plain data'),
    (
        {"list": [1, None]},
        "payload.list[1]: None in a list, and Lua has no nil in tables; send false, or leave it out",
    ),
    (cyclic(), "payload.me[0]: a cycle: the table is inside itself"),
    ({"a": {True: 1}}, "payload.a: keys must be strings or integers, got boolean true"),
    ({"a": {1.5: 1}}, "payload.a: keys must be strings or integers, got number 1.5"),
    ({math.nan: 1}, "payload: keys must be strings or integers, got NaN as key"),
    ({None: 1}, "payload: keys must be strings or integers, got a NoneType object"),
    ({(1, 2): 1}, "payload: keys must be strings or integers, got a tuple object"),
    ({"a": 1, b"a": 2}, "payload.a: the key is there twice, as str and as bytes"),
    ({"a": "\ud800"}, "payload.a: the text has lone surrogates, so it is no UTF-8; send bytes"),
    ({"a": 2**63}, f"payload.a: integers must be within +-{2**63 - 1} to stay exact, got {2**63}"),
    ({2**63: 1}, f"payload: integers must be within +-{2**63 - 1} to stay exact, got {2**63}"),
    ([10**9999], f"payload[0]: integers must be within +-{2**63 - 1} to stay exact, got one of 33216 bits"),
]


@pytest.mark.parametrize(("value", "reason"), REFUSED_BY_PYTHON)
def test_python_refuses_with_the_path(value: Any, reason: str) -> None:
    with pytest.raises(PayloadError) as caught:
        encode(value)

    assert str(caught.value) == reason


def test_integers_are_exact_up_to_the_border_of_the_lua_version(side: LuaSide) -> None:
    highest = side.integers_only_to

    assert decode(*side.echo(*encode([highest, -highest], max_integer=highest))) == [highest, -highest]
    with pytest.raises(PayloadError, match=r"^payload\[0\]: integers must be within"):
        encode([highest + 1], max_integer=highest)
    with pytest.raises(PayloadError, match=r"^payload\[0\]: integers must be within"):
        encode([-highest - 2], max_integer=highest)


def test_python_sends_subclasses_as_what_they_are_made_of() -> None:
    class Level(enum.IntEnum):
        HIGH = 3

    class Kind(enum.StrEnum):
        FIRE = "fire"

    class Metres(float):
        pass

    shape, values = encode({Kind.FIRE: [Level.HIGH, Kind.FIRE, Metres(2.5)], Level.HIGH: True})

    assert decode(shape, values) == {"fire": [3, "fire", 2.5], 3: True}
    assert [type(value) for value in values] == [bool, int, bytes, float]


def test_none_in_a_dict_is_an_absent_key() -> None:
    assert encode({"a": None, "b": 1, 5: None}) == encode({"b": 1})


def nest(levels: int) -> Any:
    """`levels` tables around a leaf, arrays and maps in turn."""
    value: Any = 1
    for level in range(levels):
        value = [value] if level % 2 else {"k": value}
    return value


NEST = "local v = 1 for level = 0, {} - 1 do v = level % 2 == 1 and {{ v }} or {{ k = v }} end return v"


@pytest.mark.parametrize("levels", [1, 32, 128])
def test_the_depth_limit_is_exact(side: LuaSide, levels: int) -> None:
    deepest = encode(nest(levels), max_depth=levels)
    too_deep = rf"^payload[^:]+: more than {levels} levels of tables$"

    for _ in range(3):
        assert side.encode(NEST.format(levels), depth=levels) == deepest
        assert side.echo(*deepest, depth=levels) == deepest
        with pytest.raises(PayloadError, match=too_deep):
            side.encode(NEST.format(levels + 1), depth=levels)
    with pytest.raises(PayloadError, match=too_deep):
        encode(nest(levels + 1), max_depth=levels)


def test_no_limit_allows_more_than_the_stacks_hold(side: LuaSide) -> None:
    with pytest.raises(PayloadError, match="more than 128 levels"):
        encode(nest(129), max_depth=10**9)
    with pytest.raises(PayloadError, match="more than 128 levels"):
        side.encode(NEST.format(129), depth=10**9)


def test_very_deep_tables_and_cycles_do_not_overflow_a_stack(side: LuaSide) -> None:
    with pytest.raises(PayloadError, match="more than 32 levels"):
        encode(nest(100_000))
    with pytest.raises(PayloadError, match="more than 32 levels"):
        side.encode(NEST.format(100_000))
    assert side.run("""
      local payload = ...
      local t = {}
      t.a, t.b = t, { t }
      return coroutine.wrap(function()
        return select(2, payload.encode(t, {}, 0, { bytes = 1e9, depth = 1e9 }))
      end)()
    """) in (
        b"payload.a: a cycle: the table is inside itself",
        b"payload.b[1]: a cycle: the table is inside itself",
    )


SIZES = [
    ("'x' * 20", "x" * 20, 20),
    ("{ 1, 2.5, 3 }", [1, 2.5, 3], 8 + 24),
    ("{ true, false }", [True, False], 8 + 2),
    ("{ 'ab', '' }", ["ab", ""], 8 + 2 + 1),
    ("{ key = 'ab', [7] = { 1 } }", {"key": "ab", 7: [1]}, 8 + (3 + 2) + (8 + 8 + 8)),
    ("{ ['größe'] = {} }", {"größe": {}}, 8 + 7 + 8),
]


@pytest.mark.parametrize(("source", "value", "size"), SIZES)
def test_the_size_limit_is_exact_and_the_same_on_both_sides(side: LuaSide, source: str, value: Any, size: int) -> None:
    source = source.replace("'x' * 20", "('x'):rep(20)")

    for _ in range(3):
        assert side.encode(f"return {source}", size=size) == encode(value, max_bytes=size)
        with pytest.raises(PayloadError, match=rf"^payload: larger than {size - 1} bytes$"):
            side.encode(f"return {source}", size=size - 1)
    with pytest.raises(PayloadError, match=rf"^payload: larger than {size - 1} bytes$"):
        encode(value, max_bytes=size - 1)


def test_64_kib_is_the_default_border(side: LuaSide) -> None:
    assert encode({"text": "x" * (65536 - 12)}) == side.encode("return { text = ('x'):rep(65536 - 12) }")
    with pytest.raises(PayloadError, match=r"^payload: larger than 65536 bytes$"):
        encode({"text": "x" * (65536 - 11)})
    with pytest.raises(PayloadError, match=r"^payload: larger than 65536 bytes$"):
        side.encode("return { text = ('x'):rep(65536 - 11) }")


@given(data=st.data())
@settings(max_examples=25)
def test_both_sides_count_the_same(side: LuaSide, data: st.DataObject) -> None:
    wire = encode(as_lua_sees(data.draw(payloads(side.integers_only_to).filter(lambda value: value is not None))))
    least = bisect_left(range(5000), True, key=lambda size: fits(decode(*wire), size))

    assert side.echo(*wire, size=least)[0] == wire[0]
    with pytest.raises(PayloadError, match=f"larger than {least - 1} bytes"):
        side.echo(*wire, size=least - 1)


def fits(value: Any, size: int) -> bool:
    try:
        encode(value, max_bytes=size)
    except PayloadError:
        return False
    return True


def test_tables_that_unfold_without_end_are_refused_in_time(side: LuaSide) -> None:
    twice: Any = {}
    for _ in range(30):
        twice = {"a": twice, "b": twice}

    with pytest.raises(PayloadError, match="larger than 65536 bytes"):
        encode(twice)
    with pytest.raises(PayloadError, match="larger than 65536 bytes"):
        side.encode("local t = {} for _ = 1, 30 do t = { a = t, b = t } end return t")
    with pytest.raises(PayloadError, match="larger than 65536 bytes"):
        side.encode("local t = {} for i = 1, 300000 do t[i] = '' end return t")
    with pytest.raises(PayloadError, match="larger than 65536 bytes"):
        side.encode("local t = {} for i = 1, 300000 do t['k' .. i] = true end return t")


def test_the_memories_of_both_directions_are_bounded(fresh_side: LuaSide) -> None:
    writer, reader, kilobytes = fresh_side.run("""
      local payload = ...
      local limits, writer, reader = { bytes = 65536, depth = 32 }, 0, 0
      collectgarbage()
      local before = collectgarbage("count")
      for i = 1, 10000 do
        local key = ("k"):rep(i % 60) .. i
        local out = {}
        local source = { [key] = 1, deep = { [key] = { i } }, list = { 1, 2, 3 } }
        local shape, n = payload.encode(source, out, 0, limits)
        for _ = 1, 4 do
          local value = payload.decode(shape, out, 1)
          assert(value[key] == 1 and value.deep[key][1] == i and #value.list == 3)
        end
        local a, b = payload.cached()
        writer, reader = math.max(writer, a), math.max(reader, b)
      end
      collectgarbage()
      collectgarbage()
      return writer, reader, collectgarbage("count") - before
    """)

    assert 0 < writer < 600 * 1024
    assert 0 < reader < 1100 * 1024
    assert kilobytes < 6 * 1024


def test_what_does_not_fit_a_lua_function_is_still_decoded(fresh_side: LuaSide) -> None:
    values = [
        nest(100),
        {f"k{i}": i for i in range(100)},
        {"a": list(range(5000))},
        {i * 2: i for i in range(90)},
    ]

    for value in values * 6:
        assert decode(*fresh_side.echo(*encode(value, max_depth=128), depth=128)) == value


@pytest.mark.parametrize("shape", [b"", b"[", b"{1:a.", b"x", b"..", b"[3.]", b"{9:a.}", b"[" * 5000, b"_x"])
def test_python_refuses_a_broken_pair(shape: bytes) -> None:
    with pytest.raises(PayloadError, match="is no shape for these values"):
        decode(shape, (1, 2))


def test_python_refuses_leaves_that_no_shape_asked_for() -> None:
    with pytest.raises(PayloadError, match="more values than the shape"):
        decode(b".", (1, 2))
