"""What stands behind the functions of a script: a walk with the debug library, which scripts do not have.

Scripts cannot look into a function, so none of this is in their reach. It shows that nothing stands there that would be
worth a way in: two pre-bound functions of Python, of which one answers questions and one gives the engine's own code,
and no file, no process, no way to other code.
"""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engine import Limits, Mod, Rights, World
from engine.lua.runtime import Runtime
from helpers import ScriptFolder, ticks
from host_modules import sums
from test_sandbox import listed, table_of

pytestmark = pytest.mark.row("G4")

# Through tables with their keys and metatables, functions with their upvalues, threads with what their stack holds.
# What Lua's own libraries call a function is its name; `raw` is where they stand.
WALK = rb"""
local debug, next, type, tostring, raw = package.loaded.debug, next, type, tostring, _G
local names = {}
for library, functions in next, package.loaded do
  for name, fn in next, type(functions) == "table" and functions or {} do
    if type(fn) == "function" then
      names[fn] = (library == "_G" and "" or library .. ".") .. name
    end
  end
end
for name, fn in next, raw do
  names[fn] = name
end
for name, fn in next, debug.getmetatable("") do
  names[fn] = "strings." .. name
end
names[(ipairs({}))] = "ipairs" -- on LuaJIT its step is a function of its own

return function(roots)
  local found, seen, queue, first = {}, {}, {}, 1
  local function visit(path, value)
    local kind = type(value)
    if (kind == "table" or kind == "function" or kind == "thread" or kind == "userdata") and not seen[value] then
      seen[value] = true
      queue[#queue + 1] = { path, value }
    end
  end
  local function tell(kind, path, what)
    found[#found + 1] = kind .. "\t" .. path .. "\t" .. what
  end
  local look = {}
  function look.table(path, value)
    if value == raw or value == package.loaded then
      tell("globals", path, "")
      return
    end
    for key, field in next, value do
      visit(path .. "<key>", key)
      visit(path .. "." .. tostring(key), field)
    end
    visit(path .. "<metatable>", debug.getmetatable(value))
  end
  look["function"] = function(path, fn)
    if debug.getinfo(fn, "S").what == "C" then
      tell("C", path, names[fn] or "?")
    end
    local i = 1
    local name, value = debug.getupvalue(fn, i)
    while name do
      visit(path .. "^" .. name, value)
      i = i + 1
      name, value = debug.getupvalue(fn, i)
    end
  end
  function look.thread(path, thread)
    local level = 0
    local info = debug.getinfo(thread, level, "f")
    while info do
      visit(path .. "<frame>", info.func)
      local i = 1
      local name, value = debug.getlocal(thread, level, i)
      while name do
        visit(path .. "<local " .. name .. ">", value)
        i = i + 1
        name, value = debug.getlocal(thread, level, i)
      end
      level = level + 1
      info = debug.getinfo(thread, level, "f")
    end
  end
  function look.userdata(path, value)
    tell("userdata", path, tostring(value))
  end
  visit("", roots)
  visit("<strings>", debug.getmetatable(""))
  while queue[first] do
    local path, value = queue[first][1], queue[first][2]
    first = first + 1
    look[type(value)](path, value)
  end
  return table.concat(found, "\n")
end
"""

# Gets hold of whatever a script can: each library, and all that their functions give.
COLLECTOR = """
    local collector = {}
    local held = {}
    everything = held
    local function keep(...)
      for i = 1, select("#", ...) do held[#held + 1] = (select(i, ...)) end
    end

    for name in ("LIBRARIES"):gmatch("%S+") do keep(_G[name]) end
    keep(require("sums"), pcall(require, "nothing"), require("shelf"))

    function collector:start()
      self.gold = 0
      keep(self, getmetatable(self), task.current())
      keep(bus.on("x", function(event) keep(event) end), bus.once("x", keep))
      bus.handle("q", function(event) keep(event) return 1 end)
      keep(async.start(function() wait(9) end), async.start(require("sums").add_later, 1))
      keep(task.spawn(function() task.finally(keep) task.wait_event("never") end), task.delay(9, keep))
      keep(task.every(9, keep), coroutine.create(keep), coroutine.wrap(keep))
      task.spawn(task.group, function(g) keep(g, g.spawn(wait, 9)) end)
      keep(shared.watch("k", keep), load("return 1"), pairs({}))
      keep(pcall(error, {}), pcall(bus.emit), pcall(bus.emit, "x", print), pcall(require("sums").add, "x"))
      keep(xpcall(error, function(...) keep(...) end))
      task.spawn(function() tween(self, 9, { gold = 1 }, "out_quad") end)
      bus.emit("x", { 1 })
      bus.request(entity.id, "q")
      wait()
    end

    function collector:on_event(event) keep(event) end
    function collector:update(dt) end

    return collector
"""


def walked(
    make_world: Callable[..., World], scripts: ScriptFolder, *, limits: Limits | None, mod: bool
) -> list[list[str]]:
    """Kind, path and description of all that is told of what `everything` leads to."""
    libraries = (
        "string table math utf8 bit coroutine os task bus entity shared time log input sprite sound camera draw async"
    )
    name = "mods/collector" if mod else "collector"
    scripts.write(name, COLLECTOR.replace("LIBRARIES", libraries))
    scripts.write("shelf", "return { load = load, env = _G }")
    scripts.write("mods/mod", "")
    (scripts.path / "mods/mod.toml").write_text('name = "m"\nversion = "1"\nsends = ["*"]\nmodules = ["sums"]')
    world = make_world(limits=limits)
    world.install(sums())
    world.mods("mods/*", _all)
    entity = world.spawn(name)
    ticks(world, 3)
    assert world.problems == []
    assert entity.actor is not None
    runtime = entity.actor._runtime
    assert isinstance(runtime, Runtime)
    env = runtime.get("bus", "entities")[entity.id][b"env"]
    told = runtime._vm.execute(WALK)(env)
    return [line.split("\t") for line in told.decode(errors="replace").split("\n")]


def _all(mod: Mod) -> Rights:
    return mod.asks


@pytest.fixture(params=["limits", "off"])
def limits(request: pytest.FixtureRequest, lua: str) -> Limits | None:
    if request.param == "limits" and lua == "luajit21":
        pytest.skip("luajit21 has no limits")
    return None if request.param == "limits" else Limits.off()


@pytest.mark.parametrize("mod", [False, True], ids=["trusted", "mod"])
def test_behind_what_scripts_reach_stand_two_functions_of_python_and_no_other_object(make_world, scripts, limits, mod):
    told = walked(make_world, scripts, limits=limits, mod=mod)

    objects = [re.sub(r" at 0x\w+", "", what) for kind, _, what in told if kind == "userdata"]
    answer = "<bound method answers.<locals>.answer of <weakref; to 'Actor'>>"
    assert set(objects) == {answer, "<engine.lua.runtime._Giver object>"}


@pytest.mark.parametrize("mod", [False, True], ids=["trusted", "mod"])
def test_nothing_that_scripts_reach_leads_to_the_globals_of_lua(make_world, scripts, limits, mod):
    told = walked(make_world, scripts, limits=limits, mod=mod)

    assert [path for kind, path, _ in told if kind == "globals"] == []


@pytest.mark.parametrize("mod", [False, True], ids=["trusted", "mod"])
def test_the_functions_of_lua_behind_it_are_the_listed_ones(make_world, scripts, limits, mod):
    told = walked(make_world, scripts, limits=limits, mod=mod)

    found = {what: path for kind, path, what in told if kind == "C"}
    assert {what: path for what, path in found.items() if what not in listed() | table_of("behind")} == {}


def test_the_walk_sees_a_python_object_wherever_it_is_hidden(make_world, scripts):
    scripts.write("door", "local hidden = { deep = {} }\nlocal function f() return hidden end\nkept = f\nreturn {}")
    world = make_world()
    actor = world.spawn("door").actor
    assert actor is not None
    runtime: Any = actor._runtime
    env = runtime.get("bus", "entities")[1][b"env"]
    hide = runtime._vm.execute(b"return function(env, object) env.kept().deep.x = object end")

    hide(env, Path())

    told = runtime._vm.execute(WALK)(env).decode()
    assert re.search(r"userdata\t\.kept\^[^\t]*\.deep\.x\t", told)


OBJECTS = """
    local giver = {}
    given = {}
    function giver:start()
      given.subscription = bus.on("x", function(event) given.event = event end)
      given.future = async.start(wait, 9)
      task.spawn(task.group, function(g) given.group = g wait(9) end)
      bus.emit("x", { 1 })
    end
    return giver
"""

# The functions that each object leads to, also by the `__index` of a metatable that scripts do not see.
METHODS = rb"""
return function(given)
  local found = {}
  for name, object in next, given do
    local meta = package.loaded.debug.getmetatable(object)
    for _, holder in next, { object, meta or {}, meta and meta.__index or {} } do
      for key, value in next, holder do
        if type(value) == "function" then
          found[#found + 1] = name .. "." .. tostring(key)
        end
      end
    end
  end
  return table.concat(found, " ")
end
"""


def test_what_scripts_are_given_has_the_listed_functions_and_no_others(make_world, scripts):
    scripts.write("giver", OBJECTS)
    world = make_world()
    actor = world.spawn("giver").actor
    ticks(world, 2)
    assert actor is not None
    runtime: Any = actor._runtime
    given = runtime.get("bus", "entities")[1][b"env"][b"given"]
    names = {name.decode() for name in given}

    found = set(runtime._vm.execute(METHODS)(given).decode().split(" "))

    assert names == {"subscription", "future", "group", "event"}
    assert found == {name for name in listed() if name.partition(".")[0] in names}
