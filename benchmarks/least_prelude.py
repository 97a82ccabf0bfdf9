"""The least prelude, as text, and VMs with it: what a script that waits and moves is promised, and nothing else.

An environment of its own, `wait`, a task under a hook that counts, where the entity is, operations for Python, an error
with its place. No events, no handles, no reload, no library of the engine.
"""

from __future__ import annotations

import importlib
from typing import Any, NamedTuple

COMPILE = "function(text) return string.dump((load or loadstring)(text), true) end"

INSTRUCTIONS, MEMORY = 10_000_000, 64 * 2**20

COMMON = b"""
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
local body, spare, problem

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

local function work(fn, ...)
  return fn(...)
end

local function new_thread()
  local thread = create(work)
  sethook(thread, hook, "", 1000)
  return thread
end

local function run(thread, ...)
  local ok, token, request = resume(thread, ...)
  if not ok then
    put("problem", me, traceback(thread, token))
  elseif token == SUSPEND then
    task, due = thread, request
  end
end
"""

BIRTH = b"""
local function prepare(chunk, text)
  body, problem = load(text, chunk, "t", environment())
  spare = new_thread()
end

local function born(now, dt, number, id, chunk, text, ...)
  clock.now, clock.dt, clock.frame, me, self = now, dt, number, id, {}
  local fields, script = { ... }, nil
  for i = 1, #fields, 2 do
    self[fields[i]] = fields[i + 1]
  end
  if not spare then
    prepare(chunk, text)
  end
  if body then
    run(new_thread(), function() script = body() end)
  else
    put("problem", me, problem)
  end
  if type(script) == "table" then
    setmetatable(self, { __index = script, __metatable = false })
    put("script", me, false, false, true)
    if script.init then
      run(new_thread(), script.init, self)
    end
    put("ready", me)
    if script.start then
      run(spare, script.start, self)
    end
  end
  x, y = rawget(self, "x"), rawget(self, "y")
  return task and due, x, y, take()
end
"""

TICKS = b"""
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
return born, pump, prepare, function(instructions, bytes)
  most, memory = instructions, bytes / 1024
end
"""

PRELUDE = COMMON + BIRTH + TICKS


class State(NamedTuple):
    vm: Any
    born: Any
    send: Any
    prepare: Any


def loader(lua: str, prelude: bytes) -> tuple[Any, bytes, str]:
    """lupa's module, the bytecode and how it is loaded: on lua55 it is used where it lies, as the engine's own."""
    module = importlib.import_module(f"lupa.{lua}")
    code: bytes = _bare(module).eval(COMPILE.encode())(prelude)
    return (module, code + bytes(16 * 1024), "B") if lua == "lua55" else (module, code, "b")


def _bare(module: Any) -> Any:
    return module.LuaRuntime(encoding=None, register_builtins=False, max_memory=0)


def made(module: Any, code: bytes, mode: str) -> State:
    vm = _bare(module)
    born, pump, prepare, start = vm.compile(code, mode=mode)()
    start(INSTRUCTIONS, MEMORY)
    send = pump.coroutine().send
    send(None)
    return State(vm, born, send, prepare)
