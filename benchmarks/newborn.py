"""The least prelude: what a script that waits and moves is promised, and nothing else.

An environment of its own, `wait`, a task under a hook that counts, where the entity is, operations for Python, an error
with its place. No events, no handles, no reload, no library of the engine. What a birth and the memory of a state come
to with it is the floor of a design in which each entity has a VM that holds the engine's half in Lua.

"Warm" are states that were made before, with the environment, the thread and the script's compiled text; what is left
is a birth alone: the entity, its fields, its start, and what Python must know of it to tick it.
"""

from __future__ import annotations

import importlib
from typing import Any, NamedTuple

from benchmarks.harness import Case
from benchmarks.swarm import MOVER

COMPILE = "function(text) return string.dump((load or loadstring)(text), true) end"

FIELDS = {"x": 1.0, "y": 0.0, "vx": 1.0, "vy": 0.5}
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


class Entity:
    """What Python knows of one: where it is, and how it is ticked."""

    __slots__ = ("id", "place", "script", "send", "state")

    def __init__(self, id: int, script: str, state: State) -> None:
        self.id = id
        self.script = script
        self.state = state
        self.send = state.send
        self.place: Any = None


class World:
    """As little of a world as births and ticks need."""

    def __init__(self, lua: str) -> None:
        self._loader = loader(lua, PRELUDE)
        self._ready: list[State] = []
        self.entities: dict[int, Entity] = {}
        self._awake: list[Entity] = []
        self._text = MOVER.encode()

    def warm(self, count: int) -> None:
        while len(self._ready) < count:
            state = made(*self._loader)
            state.prepare(b"@mover", self._text)
            self._ready.append(state)

    def spawn(self, script: str, **fields: float) -> Entity:
        state = self._ready.pop() if self._ready else made(*self._loader)
        entity = Entity(len(self.entities) + 1, script, state)
        self.entities[entity.id] = entity
        flat = [part for name, value in fields.items() for part in (name.encode(), value)]
        self._note(entity, state.born(0.0, 0.0, 0, entity.id, b"@mover", self._text, *flat))
        return entity

    def tick(self, dt: float) -> None:
        awake, self._awake = self._awake, []
        for entity in awake:
            self._note(entity, entity.send((dt, dt, 1)))

    def _note(self, entity: Entity, result: Any) -> None:
        wake, x, y, *_ = result
        if x is not None:
            entity.place = x, y
        if wake is True:
            self._awake.append(entity)

    def clear(self) -> None:
        self.entities.clear()
        self._awake.clear()


def newborn(lua: str, count: int, *, warm: int = 0) -> Case:
    """Entities with this prelude and the swarm's script, and the frame in which they start; so many states are warm."""
    world = World(lua)

    def run() -> None:
        for _ in range(count):
            world.spawn("mover", **FIELDS)
        world.tick(1 / 60)

    def after() -> None:
        world.clear()
        world.warm(warm)

    after()
    return Case(f"floor: the least prelude{', warm' if warm else ''}", run, count, after=after)


def memory(lua: str) -> int:
    """Bytes that Lua counts in one such state after a collection."""
    world = World(lua)
    entity = world.spawn("mover", **FIELDS)
    world.tick(1 / 60)
    return int(entity.state.vm.execute(b"collectgarbage() return collectgarbage('count')") * 1024)


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


if __name__ == "__main__":
    for version in ("lua55", "lua54", "luajit21"):
        print(f"{version}: a state with the least prelude has {memory(version) / 1024:.0f} KiB")
