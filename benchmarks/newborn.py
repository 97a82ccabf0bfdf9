"""The least prelude: what a script that waits and moves is promised, and nothing else.

An environment of its own, `wait`, a task under a hook that counts, where the entity is, operations for Python, an error
with its place. No events, no handles, no reload, no library of the engine. What a birth and the memory of a state come
to with it is the floor of a design in which each entity has a VM that holds the engine's half in Lua.
"""

from __future__ import annotations

import importlib
from typing import Any, NamedTuple

from benchmarks.harness import Case
from benchmarks.spawn import COMPILE
from benchmarks.swarm import MOVER

FIELDS = (b"x", 1.0, b"y", 0.0, b"vx", 1.0, b"vy", 0.5)
INSTRUCTIONS, MEMORY = 10_000_000, 64 * 2**20

PRELUDE = b"""
collectgarbage("stop")
local clock = { now = 0.0, dt = 0.0, frame = 0 }
local SUSPEND = function() return 1 end
local create, resume, yield, isyieldable = coroutine.create, coroutine.resume, coroutine.yield, coroutine.isyieldable
local sethook, traceback, collect = debug.sethook, debug.traceback, collectgarbage
local rawget, type, next, setmetatable, load, error, select = rawget, type, next, setmetatable, load, error, select
local unpack = table.unpack or unpack
local list, n = {}, 0
local spent, frame, most, memory = 0, nil, 1 / 0, 1 / 0
local task, due, me, self, x, y

local function put(operation, id, ...)
  local extra = select("#", ...)
  list[n + 1], list[n + 2], list[n + 3] = operation, id, extra
  for i = 1, extra do
    list[n + 3 + i] = (select(i, ...))
  end
  n = n + 3 + extra
end

local function take()
  local last = n
  n = 0
  return unpack(list, 1, last)
end

local function hook()
  if frame ~= clock.frame then
    frame, spent = clock.frame, 0
  end
  spent = spent + 1000
  if spent > most or collect("count") > memory then
    error("stopped at a limit", 2)
  end
end

local function wait(seconds)
  local request = true
  if seconds ~= nil and seconds ~= 0 then
    if type(seconds) ~= "number" or not (seconds >= 0) then
      error("wait: seconds must be a number >= 0", 2)
    end
    request = clock.now + seconds
  end
  if not isyieldable() then
    error("wait: only a task can wait", 2)
  end
  local started = clock.now
  yield(SUSPEND, request)
  return clock.now - started
end

local base, libraries = { wait = wait, time = clock }, { string = string, table = table, math = math }
for _, name in next, {
  "assert", "error", "ipairs", "next", "pairs", "pcall", "rawequal", "rawget", "rawlen", "rawset", "select", "tonumber",
  "tostring", "type", "xpcall", "_VERSION", "setmetatable", "getmetatable",
} do
  base[name] = _G[name]
end

local function environment()
  local env = {}
  for name, value in next, base do
    env[name] = value
  end
  return setmetatable(env, { __index = function(_, name)
    local library = libraries[name]
    if library then
      env[name] = {}
      for key, value in next, library do
        env[name][key] = value
      end
      return env[name]
    end
  end, __metatable = false })
end

local function run(fn, ...)
  local thread = type(fn) == "thread" and fn or create(fn)
  if thread ~= fn then
    sethook(thread, hook, "", 1000)
  end
  local ok, token, request = resume(thread, ...)
  if not ok then
    put("problem", me, traceback(thread, token))
  elseif token == SUSPEND then
    task, due = thread, request
  end
end

local function born(now, dt, number, id, chunk, text, count, ...)
  clock.now, clock.dt, clock.frame, me, self = now, dt, number, id, {}
  local fields, script = { ... }, nil
  for i = 1, 2 * count, 2 do
    self[fields[i]] = fields[i + 1]
  end
  local fn, problem = load(text, chunk, "t", environment())
  if fn then
    run(function() script = fn() end)
  else
    put("problem", me, problem)
  end
  if type(script) == "table" then
    setmetatable(self, { __index = script, __metatable = false })
    put("script", me, false, false, true)
    if script.init then
      run(script.init, self)
    end
    put("ready", me)
    if script.start then
      run(script.start, self)
    end
  end
  x, y = rawget(self, "x"), rawget(self, "y")
  return task and due, x, y, take()
end

local function pump()
  local now, dt, number = yield(true)
  while true do
    clock.now, clock.dt, clock.frame = now, dt, number
    if task and (due == true or due <= now) then
      local thread = task
      task = nil
      run(thread)
    end
    if collect("count") > memory then
      put("over", me)
    end
    local to_x, to_y = rawget(self, "x"), rawget(self, "y")
    if to_x == x and to_y == y then
      now, dt, number = yield(task and due, nil, nil, take())
    else
      x, y = to_x, to_y
      now, dt, number = yield(task and due, x, y, take())
    end
  end
end

collectgarbage("restart")
return born, pump, function(instructions, bytes)
  most, memory = instructions, bytes / 1024
end
"""


class State(NamedTuple):
    vm: Any
    born: Any
    send: Any


def newborn(lua: str, count: int) -> Case:
    """States with this prelude in which the swarm's script starts, and a tick of all there are."""
    module, code, mode = _loader(lua)
    made: list[State] = []

    def run() -> None:
        for id in range(count):
            state = _made(module, code, mode)
            made.append(state)
            _bear(state, id)
        for state in made:
            state.send((1 / 60, 1 / 60, 1))

    return Case("floor: the least prelude", run, count, after=made.clear)


def memory(lua: str) -> int:
    """Bytes that Lua counts in one such state after a collection."""
    module, code, mode = _loader(lua)
    state = _made(module, code, mode)
    _bear(state, 1)
    state.send((1 / 60, 1 / 60, 1))
    return int(state.vm.execute(b"collectgarbage() return collectgarbage('count')") * 1024)


def _loader(lua: str) -> tuple[Any, bytes, str]:
    """lupa's module, the bytecode and how it is loaded: on lua55 it is used where it lies, as the engine's own."""
    module = importlib.import_module(f"lupa.{lua}")
    code: bytes = _bare(module).eval(COMPILE.encode())(PRELUDE)
    return (module, code + bytes(16 * 1024), "B") if lua == "lua55" else (module, code, "b")


def _bare(module: Any) -> Any:
    return module.LuaRuntime(encoding=None, register_builtins=False, max_memory=0)


def _made(module: Any, code: bytes, mode: str) -> State:
    vm = _bare(module)
    born, pump, start = vm.compile(code, mode=mode)()
    start(INSTRUCTIONS, MEMORY)
    send = pump.coroutine().send
    send(None)
    return State(vm, born, send)


def _bear(state: State, id: int) -> None:
    state.born(0.0, 0.0, 0, id, b"@mover", MOVER.encode(), len(FIELDS) // 2, *FIELDS)


if __name__ == "__main__":
    for version in ("lua55", "lua54", "luajit21"):
        print(f"{version}: a state with the least prelude has {memory(version) / 1024:.0f} KiB")
