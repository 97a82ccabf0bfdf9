"""The least birth that keeps what is promised of an entity in a state of its own, one promise after the other.

Beside the least prelude (`benchmarks.least_prelude`), on nothing but lupa: the script has been read, there is a VM with
an environment, a thread and a pump; what is left is the entity. Each step does what those before it do. Nobody hears
anything, nothing is reloaded, no place of an error is looked up, no script is a mod: all that an engine does beside is
missing.
"""

from __future__ import annotations

import marshal
import weakref
from typing import Any
from zlib import crc32

from benchmarks.harness import Case
from benchmarks.least_prelude import COMMON, MEMORY, TICKS, State, loader, made
from benchmarks.newborn import FIELDS
from benchmarks.swarm import MOVER

STEPS = (
    "its fields are checked and copied, its class has defaults and hooks, each stage of its start has a name",
    "what it says is carried out, one thing after the other, and summed up",
    "it is found by its id and by its script, and whoever holds it holds no state",
    "its state has limits, a clock, an inbox and a place among those that wake",
)

BIRTH = b"""
local NONE, HOOKS = {}, { init = true, start = true, update = true, on_event = true, final = true }
local hooks, methods, properties, name, seed, class, stage = {}, {}, NONE, "", 0, nil, nil

local function copy(value)
  if type(value) ~= "table" then
    return value
  end
  local copied = {}
  for key, each in next, value do
    copied[key] = copy(each)
  end
  return copied
end

local function read()
  class = body()
end

local function prepare(chunk, text)
  self = { x = nil, y = nil, vx = nil, vy = nil }
  body, problem = load(text, chunk, "t", environment())
  run(new_thread(), read)
  for key, value in next, class do
    if HOOKS[key] then
      hooks[key] = { name = key, fn = value, failures = 0 }
    elseif type(value) == "function" then
      methods[#methods + 1] = key
    end
  end
  properties = class.properties or NONE
  setmetatable(self, { __index = class, __metatable = false })
  spare = new_thread()
end

local function start()
  if hooks.init then
    hooks.init.fn(self)
  end
  put("ready", me)
  stage.name = "start"
  if hooks.start then
    hooks.start.fn(self)
  end
end

local function born(now, dt, number, id, script, own_seed, count, ...)
  clock.now, clock.dt, clock.frame, spent, frame = now, dt, number, 0, number
  me, name, seed, stage = id, script, own_seed, { name = "init", failures = 0 }
  local box = { ... }
  for i = 1, count do
    self[box[i]] = box[i + count]
  end
  for key, value in next, properties do
    if rawget(self, key) == nil then
      self[key] = copy(value)
    end
  end
  put("script", me, false, false, true)
  for i = 1, #methods do
    put("method", me, methods[i])
  end
  run(spare, start)
  x, y = rawget(self, "x"), rawget(self, "y")
  return task and due, x, y, take()
end
"""


class Entity:
    """What the game holds of one."""

    __slots__ = ("__weakref__", "_state", "alive", "id", "place", "properties", "ready", "script", "tags", "view")

    def __init__(self, id: int, script: str, properties: tuple[Any, ...]) -> None:
        self.id = id
        self.script = script
        self.properties = properties
        self.ready = False
        self.alive = True
        self.tags: dict[str, None] = {}
        self.view: dict[str, Any] = {}
        self.place: Any = None
        self._state: Any = None

    def lives_in(self, state: Life) -> None:
        self._state = weakref.ref(state)


class Life:
    """What the world holds of one state."""

    __slots__ = ("__weakref__", "born", "clock", "entities", "inbox", "key", "limits", "only", "send", "vm", "wake")

    def __init__(self, state: State) -> None:
        self.vm = state.vm
        self.born = state.born
        self.send = state.send
        self.key = 0
        self.clock: Any = None
        self.limits = MEMORY
        self.inbox: list[Any] = []
        self.entities: dict[int, None] = {}
        self.only: Any = None
        self.wake: float | None = None


class World:
    """As little of a world as keeps what so many of the steps say. States are made before they are needed."""

    def __init__(self, lua: str, steps: int) -> None:
        self._steps = steps
        self._loader = loader(lua, COMMON + BIRTH + TICKS)
        self._ready: list[Life] = []
        self._names: dict[tuple[str, ...], tuple[bytes, ...]] = {}
        self._does = {b"script": self._script, b"ready": self._has_begun, b"method": self._method}
        self._entered: set[int] = set()
        self.clear()

    def clear(self) -> None:
        self._digest = 0
        self._by_id: dict[int, Entity] = {}
        self._by_script: dict[str, dict[int, Entity]] = {}
        self._lives: dict[int, Life] = {}
        self._awake: dict[Life, Entity] = {}
        self._now = (0.0, 0.0, 0)

    def warm(self, count: int) -> None:
        while len(self._ready) < count:
            state = made(*self._loader)
            state.prepare(b"@mover", MOVER.encode())
            self._ready.append(Life(state))

    def spawn(self, script: str, **fields: Any) -> Entity:
        names = self._names.get(tuple(fields))
        if names is None:
            names = self._names[tuple(fields)] = tuple(name.encode() for name in fields)
        for value in fields.values():
            kind = type(value)
            if kind is not float and kind is not bool and not (kind is int and abs(value) < 2**63):
                raise TypeError(f"{value!r} is no plain data")
        id = len(self._by_id) + 1
        entity = Entity(id, script, tuple(fields.values()))
        life = self._ready.pop()
        if self._steps >= 3:
            self._settle_in(entity, life)
        if self._steps >= 4:
            self._hold(entity, life)
        self._by_id[id] = entity
        seed = crc32(b"%d:%d" % (0, id))
        told = (*self._now, id, script.encode(), seed, len(names), *names, *entity.properties)
        self._note(life, entity, self._enter(life.born, told))
        return entity

    def tick(self, dt: float) -> None:
        self._now = (dt, dt, 1)
        awake, self._awake = self._awake, {}
        for life, entity in awake.items():
            self._note(life, entity, life.send(self._now))

    def _settle_in(self, entity: Entity, life: Life) -> None:
        self._by_script.setdefault(entity.script, {})[entity.id] = entity
        entity.lives_in(life)

    def _hold(self, entity: Entity, life: Life) -> None:
        life.key, life.clock, life.only = entity.id, self._now, entity
        life.entities[entity.id] = None
        self._lives[entity.id] = life
        if life.vm.get_memory_used(True) > life.limits:
            raise MemoryError("the state has no room for what comes")

    def _enter(self, call: Any, args: tuple[Any, ...]) -> Any:
        """Nobody else gets in meanwhile; an error is that of the state, and ends nobody else."""
        self._entered.add(1)
        try:
            return call(*args)
        except Exception as error:
            return error
        finally:
            self._entered.discard(1)

    def _note(self, life: Life, entity: Entity, result: Any) -> None:
        if isinstance(result, Exception):
            raise result
        if result[1] is not None:
            entity.place = result[1:3]
        if self._steps >= 2 and len(result) > 3:
            self._carry_out(entity, result)
        if result[0] is True:
            self._awake[life] = entity
        else:
            life.wake = result[0]

    def _carry_out(self, entity: Entity, said: tuple[Any, ...]) -> None:
        at = 3
        while at < len(said):
            after = at + 3 + said[at + 2]
            self._does[said[at]](entity, said[at + 3 : after])
            at = after
        self._digest = crc32(marshal.dumps(said[3:], 2), self._digest)

    def _script(self, entity: Entity, values: tuple[Any, ...]) -> None:
        if values[0] or values[1]:
            raise NotImplementedError("another isolation, another clock")

    def _has_begun(self, entity: Entity, values: tuple[Any, ...]) -> None:
        entity.ready = True

    def _method(self, entity: Entity, values: tuple[Any, ...]) -> None:
        raise NotImplementedError("a word about a hook that is misspelt")


def promised(lua: str, count: int, *, steps: int = len(STEPS), ready: int = 0) -> Case:
    """Births that keep what so many of the steps say, and the frame in which they start, of warm states."""
    world = World(lua, steps)

    def run() -> None:
        for _ in range(count):
            world.spawn("mover", **FIELDS)
        world.tick(1 / 60)

    def after() -> None:
        world.clear()
        world.warm(ready or count)

    after()
    return Case("floor: what is promised, warm", run, count, after=after)
