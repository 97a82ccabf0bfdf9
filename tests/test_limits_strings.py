"""The bounded string functions give what Lua's own give, and end in bounded time."""

from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from engine import Limits, LuaState, ScriptError
from engine.lua.runtime import Runtime

VERSIONS = ("lua55", "lua54")

_HARNESS = b"""
local function said(ok, ...)
  if ok then
    return "ok", select("#", ...), ...
  end
  return "error", (tostring((...)):gsub("^.-:%d+: ", ""))
end
return function(fn, ...)
  return said(pcall(fn, ...))
end, function(gmatch, limit, ...)
  local found = {}
  return said(pcall(function(...)
    for a, b in gmatch(...) do
      found[#found + 1] = tostring(a) .. "|" .. tostring(b)
      if #found >= limit then break end
    end
    return table.concat(found, ";")
  end, ...))
end, function(gsub, text, pattern, most)
  return said(pcall(gsub, text, pattern, function(...)
    return "<" .. table.concat({ ... }, ",") .. ">"
  end, most))
end
"""


@cache
def bench(lua: str) -> tuple[Any, Callable[[str], Any], tuple[Any, Any, Any]]:
    """Lua's own `string` table, the bounded functions with the matcher forced, and what calls either."""
    runtime = Runtime(lua, 1, Limits())
    runtime.put("strings", "effort", -1)
    return (
        runtime._vm.globals()[b"string"],
        lambda name: runtime.get("strings", name),
        runtime._vm.execute(_HARNESS),
    )


ITEMS = st.sampled_from(["a", "b", ".", "%a", "%d", "[ab]", "[^a]", "%%", "[a-c]", "%w", "[%a_]", "$", "^", "-"])
MARKS = st.sampled_from(["", "", "*", "+", "-", "?"])
OTHERS = ["(", ")", "()", "%1", "%2", "%b()", "%bab", "%f[%a]", "%f[^a]", "$", "[", "%", "[^", "%b", "%f", "[]", "[]a]"]
PIECES = st.one_of(st.tuples(ITEMS, MARKS).map("".join), st.tuples(ITEMS, MARKS).map("".join), st.sampled_from(OTHERS))
CAPTURED = st.lists(PIECES, min_size=1, max_size=3).map(lambda parts: f"({''.join(parts)})")
PATTERNS = st.tuples(
    st.sampled_from(["", "", "^"]), st.lists(st.one_of(PIECES, CAPTURED), max_size=6).map("".join)
).map("".join)
TEXTS = st.text(alphabet="aabbc1 (_)-%^$\0", max_size=12)
INITS = st.one_of(st.none(), st.integers(-15, 15))


@pytest.mark.parametrize("lua", VERSIONS)
@pytest.mark.row("G3")
@settings(max_examples=250)
@given(text=TEXTS, pattern=PATTERNS, init=INITS)
@example(text="aXb", pattern="%f[%u]", init=None)
@example(text="a$b", pattern="a$b", init=None)
@example(text="aab", pattern="(a*(.)%w(%s*))", init=None)
@example(text="1aabcab", pattern=f"[{'xy' * 40}a]+b", init=None)
@example(text="1aabcab", pattern=f"([{'xy' * 40}ab]*)c?", init=2)
@example(text="1aabcab", pattern=f"[^{'xy' * 40}]-[{'xy' * 40}b]", init=-3)
def test_find_match_and_gmatch_give_what_luas_own_give(lua, text, pattern, init):
    own, bounded, (call, collect, _) = bench(lua)
    args = (text.encode(), pattern.encode(), init)

    assert call(bounded("find"), *args) == call(own[b"find"], *args)
    assert call(bounded("match"), *args) == call(own[b"match"], *args)
    assert collect(bounded("gmatch"), 40, *args) == collect(own[b"gmatch"], 40, *args)


@pytest.mark.parametrize("lua", VERSIONS)
@pytest.mark.row("G3")
@settings(max_examples=250)
@given(
    text=TEXTS,
    pattern=PATTERNS,
    replacement=st.lists(st.sampled_from(["x", "%0", "%1", "%2", "%%", "%", "-"]), max_size=4).map("".join),
    most=st.one_of(st.none(), st.integers(-1, 4)),
)
def test_gsub_gives_what_luas_own_gives(lua, text, pattern, replacement, most):
    own, bounded, (call, _, gsub_call) = bench(lua)
    args = (text.encode(), pattern.encode())

    assert call(bounded("gsub"), *args, replacement.encode(), most) == call(
        own[b"gsub"], *args, replacement.encode(), most
    )
    assert gsub_call(bounded("gsub"), *args, most) == gsub_call(own[b"gsub"], *args, most)


@pytest.mark.parametrize("lua", VERSIONS)
@pytest.mark.parametrize("name", ["find", "match", "gmatch", "gsub", "rep", "upper"])
@pytest.mark.parametrize("args", ["", "nil", "{}, 'a'", "'a', {}", "'a', 'b', 'c'", "'a', 'b', 1.5", "12, 1", "true"])
def test_wrong_arguments_are_refused_with_luas_own_words(lua, name, args):
    bounded, own = [], []
    for limits, said in ((None, bounded), (Limits.off(), own)):
        with LuaState(lua, limits=limits) as state:
            said.append(state.run(f"return select(2, pcall(function() local x = string.{name}({args}) end))"))

    assert bounded == [str(own[0]).replace("got no value", "got nil") if own[0] else None]


BOMBS = [
    ("find", "string.find(string.rep('a', 40), string.rep('a?', 40) .. string.rep('a', 41))"),
    ("lazy", "string.find(string.rep('a', 5000), '.-.-.-.-b')"),
    ("match", "string.match(string.rep('a', 100000), '(a*)*(a*)(a*)(a*)b')"),
    ("gsub", "string.gsub(string.rep('a', 3000), 'a*a*a*a*b', '')"),
    ("gmatch", "(function() for _ in string.gmatch(string.rep('a', 3000), 'a*a*a*a*b') do end end)()"),
    ("method", "(string.rep('a', 3000)):find('a*a*a*a*b')"),
    ("balance", "string.find(string.rep('(', 300000), '%b()')"),
    ("plain", "string.find(string.rep('a', 3000000), string.rep('a', 1500000) .. 'b', 1, true)"),
    ("back", "string.find(string.rep('a', 100000), '(a*)%1b')"),
]


@pytest.mark.parametrize("lua", VERSIONS)
@pytest.mark.parametrize("code", [code for _, code in BOMBS], ids=[name for name, _ in BOMBS])
@pytest.mark.row("G3")
def test_a_pattern_that_tracks_back_is_stopped(lua, code):
    with LuaState(lua, limits=Limits(instructions=1_000_000)) as state:
        with pytest.raises(ScriptError, match=r"stopped after .* \(Limits\.(instructions|seconds)\)"):
            state.run(f"local found = {code} return found")

        assert state.run("return ('still here'):match('%a+$')") == "here"


@pytest.mark.parametrize("lua", VERSIONS)
@pytest.mark.parametrize(
    "code",
    [
        "local t = {} for w in ('the quick brown fox'):rep(200, ' '):gmatch('%a+') do t[#t + 1] = w end return #t",
        "return #(('  x  '):rep(500):gsub('%s+', ' '))",
        "return (('key = value'):match('^%s*(.-)%s*=%s*(.-)%s*$'))",
        "return select(2, ('a,b;c'):rep(1000):gsub('[,;]', { [','] = '<' }))",
    ],
)
def test_honest_work_on_long_texts_goes_through(lua, code):
    with LuaState(lua, limits=Limits.off()) as free, LuaState(lua) as state:
        assert state.run(code) == free.run(code)
