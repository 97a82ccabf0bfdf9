"""What a script reaches is exactly what docs/security.md lists, and nothing in it leads out."""

import re
from importlib import import_module
from pathlib import Path

import pytest

from engine import Limits, LuaState
from engine.lua.runtime import Runtime

SECURITY = Path(__file__).parents[1] / "docs" / "security.md"

_WALK = b"""
return function(env, names)
  local found, seen = {}, {}
  local function visit(path, value)
    local kind = type(value)
    if kind == "userdata" or kind == "thread" then
      found[#found + 1] = path .. "!" .. kind
    elseif kind == "function" then
      found[#found + 1] = path
    elseif kind == "table" and not seen[value] then
      seen[value] = true
      for key, field in next, value do
        visit(path == "" and tostring(key) or path .. "." .. tostring(key), field)
        if type(key) == "table" or type(key) == "function" or type(key) == "userdata" then
          found[#found + 1] = path .. "!key " .. type(key)
        end
      end
      local meta = package.loaded.debug.getmetatable(value)
      if meta and rawget(meta, "__metatable") == nil then
        visit(path .. "<metatable>", meta)
      end
    end
  end
  for name in names:gmatch("[^ ]+") do
    local _ = env[name] -- libraries come into being when they are first used
  end
  visit("", env)
  return table.concat(found, " ")
end
"""


def listed() -> set[str]:
    """The functions that the page lists as what a script reaches."""
    return table_of("reach")


def table_of(what: str) -> set[str]:
    """The functions in a block of the page: `string: byte char` are string.byte and string.char."""
    block = re.search(rf"```text {what}\n(.*?)```", SECURITY.read_text(encoding="utf-8"), re.DOTALL)
    assert block
    names = set()
    for line in block[1].splitlines():
        library, _, words = line.partition(":")
        names |= {word if library == "globals" else f"{library}.{word}" for word in words.split()}
    return names


def reached(lua: str, limits: Limits | None) -> set[str]:
    with LuaState(lua, limits=limits) as state:
        state.run("return 0")
        runtime = state._runtime
        assert isinstance(runtime, Runtime)
        walk = runtime._vm.execute(_WALK)
        libraries = {name.partition(".")[0] for name in listed()}
        env = runtime.get("bus", "entities")[0][b"env"]
        names = walk(env, " ".join(sorted(libraries)).encode()).decode().split(" ")
    return {name for name in names if not name.startswith("_G.")}


@pytest.mark.parametrize("limited", [True, False], ids=["limits", "off"])
@pytest.mark.row("G4")
def test_a_script_reaches_the_listed_functions_and_nothing_else(lua, limited):
    if lua == "luajit21" and limited:
        pytest.skip("luajit21 has no limits")

    found = reached(lua, None if limited else Limits.off())

    assert found - listed() == set(), "add what scripts may reach to the list in docs/security.md"
    assert not [name for name in found if "!" in name]


WAYS_OUT = {
    "debug": "return debug",
    "io": "return io",
    "os.execute": "return os and (os.execute or os.getenv or os.remove or os.exit or os.tmpname)",
    "package": "return package",
    "ffi": "return ffi or (pcall(require, 'ffi') or nil)",
    "jit": "return jit",
    "python": "return python or lua",
    "dofile": "return dofile or loadfile or module or getfenv or setfenv or newproxy",
    "bytecode": "return load('\\27Lua')",
    "bytecode with mode": "return load('\\27Lua', 'x', 'b')",
    "dump": "return string.dump or ('').dump",
    "string metatable": "return getmetatable('')",
    "function metatable": "return getmetatable(print)",
    "own environment": "return getmetatable(_G) or nil",
    "require a file": "return pcall(require, '../../etc/passwd') or nil",
    "require a C library": "return pcall(require, 'lupa') or nil",
    "gc": "return pcall(setmetatable, {}, { __gc = print }) or nil",
    "late gc": "local mt = {} setmetatable({}, mt) mt.__gc = print return pcall(setmetatable, {}, mt) or nil",
    "collect": "return pcall(collectgarbage, 'collect') or nil",
    "subscription": "return getmetatable(bus.on('x', print)) or nil",
    "time": "return getmetatable(time) or nil",
}


@pytest.mark.parametrize("code", WAYS_OUT.values(), ids=WAYS_OUT)
@pytest.mark.row("G4")
def test_a_known_way_out_leads_nowhere(lua, code):
    with LuaState(lua) as state:
        assert state.run(f"local found = (function() {code} end)() return found == nil or found == false")


@pytest.mark.row("G4")
def test_an_error_tells_nothing_of_python(lua):
    with LuaState(lua) as state:
        said = state.run("local _, e = pcall(function() error(setmetatable({}, {})) end) return type(e)")
        message = state.run("return select(2, pcall(require, 'nothing'))")

    assert said == "table"
    assert ".py" not in str(message)


@pytest.mark.row("G4")
def test_a_chunk_cannot_take_the_name_of_the_engines_own(lua):
    with LuaState(lua) as state:
        said = state.run("return select(2, pcall(load('error(\"x\")', '=?')))")

    assert said == "chunk:1: x"


@pytest.mark.row("G4", "A1")
def test_what_a_script_changes_in_a_library_is_seen_by_nobody_else(world, scripts):
    scripts.write("bad", "string.upper = 1 table.insert = nil math.pi = 4 bus.emit = nil return {}")
    scripts.write("good", "return { start = function(self) self.ok = ('a'):upper() == 'A' and math.pi < 4 end }")
    world.spawn("bad")

    good = world.spawn("good")

    with good.self.upgrade() as self_:
        assert self_["ok"] is True


@pytest.mark.parametrize(
    "code",
    [
        "coroutine.yield(evil)",
        "error(evil)",
        "pcall(error, evil)",
        "coroutine.wrap(function() coroutine.yield(evil) end)()",
        "coroutine.resume(coroutine.create(function() error(evil) end))",
        "self.x, self.y = evil, evil wait() self.x = setmetatable({}, getmetatable(evil)) wait()",
        "self.sprite = evil wait() self.sprite = setmetatable({}, getmetatable(evil)) wait()",
        "async.start(error, evil) wait()",
        "task.group(function(g) g.spawn(error, evil) end)",
    ],
)
@pytest.mark.row("G4")
def test_the_engine_never_asks_a_scripts_own_equality(make_world, scripts, lua, code):
    scripts.write(
        "bad",
        f"""
        local bad = {{}}
        function bad:start()
          local evil = setmetatable({{}}, {{ __eq = function(a, b) shared.set("reached", type(b)) return false end }})
          {code}
        end
        return bad
        """,
    )
    world = make_world()
    world.spawn("bad")

    for _ in range(5):
        world.tick(0.1)

    assert world.shared.get("reached") is None


@pytest.mark.row("G4")
def test_a_library_whose_table_compares_itself_learns_nothing(make_world, scripts):
    scripts.write("evil", "return setmetatable({}, { __eq = function(a, b) shared.set('got', 1) return true end })")
    scripts.write("bad", "return { start = function() require('evil') require('evil') end }")
    world = make_world()

    world.spawn("bad")
    world.tick(0.1)

    assert world.shared.get("got") is None
    assert world.problems == []


@pytest.mark.row("G4")
def test_bytecode_that_this_lua_would_run_is_not_loaded(world, scripts, lua):
    bare = import_module(f"lupa.{lua}").LuaRuntime(encoding=None)
    code = bare.eval("string.dump(function() return 7 end)")
    assert bare.eval("function(code) return load(code)() end")(code) == 7
    scripts.write(
        "loader",
        """
        return { start = function(self)
          local parts = { self.code }
          print((select(2, load(self.code))))
          print((select(2, load(self.code, "name", "b"))))
          print((select(2, load(self.code, "name", "bt", {}))))
          print((select(2, load(function() return table.remove(parts) end))))
        end }
        """,
    )

    world.spawn("loader", code=code)

    assert [("attempt to load" in line.text) for line in world.log] == [True] * 4


@pytest.mark.parametrize("first", ["sub", "find", "nothing"])
def test_methods_of_strings_are_those_of_the_library_whichever_is_called_first(lua, first):
    limits = Limits() if lua != "luajit21" else None
    with LuaState(lua, limits=limits) as state:
        found = state.run(f"""
            local text = "a.b"
            local _ = text.{first}
            for name, method in next, string do
              assert(text[name] == method, name)
            end
            return text:sub(3), text.nothing, text:rep(2)
        """)

    assert found == ("b", None, "a.ba.b")
