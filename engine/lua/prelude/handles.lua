-- What Python's handles and proxies do with the values that they stand for.
-- Guarantee: what Python asks of a value that is gone is answered, not an error.
--
-- Values that are too many for one crossing go in parts: in, `stage` gathers them under a key; out, an answer is (key,
-- how many), to be fetched, instead of (false, values...).

local prelude = ...
local payload, scheduler = prelude.payload, prelude.scheduler
local bus, entity, kept = prelude.mail, prelude.entity, prelude.kept

local handles = { keep = kept.keep, count = kept.count }

local type, next, rawequal, select = type, next, rawequal, select
local getmetatable, unpack, collect = debug.getmetatable, table.unpack or unpack, collectgarbage
local values, keep, owner = kept.values, kept.keep, kept.owner

local PART = 4000 -- values per crossing: LuaJIT's C stack has room for 8,000
local GONE = "gone"
handles.GONE = GONE


function handles.release(...)
  for i = 1, select("#", ...) do
    kept.release((select(i, ...)))
  end
end


--- The value of `key`; nil once it was released.
function handles.value(key)
  return values[key]
end


--- A second key for the same value; nil where it is gone.
function handles.again(key)
  local value = values[key]
  return value ~= nil and keep(value, owner(key)) or nil
end


--- The same for a proxy, which may read to the end although its entity ends before.
function handles.lease(key)
  local value = values[key]
  return value ~= nil and keep(value, owner(key), true) or nil
end


function handles.same(a, b)
  return rawequal(values[a], values[b])
end


--- Add values to the list that waits under `key`, to a new one for 0; returns the key.
function handles.stage(key, ...)
  if key == 0 then
    key = keep({ n = 0 })
  end
  local list = values[key]
  for i = 1, select("#", ...) do
    list[list.n + i] = (select(i, ...))
  end
  list.n = list.n + select("#", ...)
  return key
end


--- A list of values and its length: those given, or those that wait under the key `staged`.
function handles.gathered(staged, ...)
  if not staged then
    return { ... }, select("#", ...)
  end
  local list = values[staged]
  kept.release(staged)
  return list, list.n
end


--- What Python gets: the values themselves, or a key and how many there are.
function handles.answer(list, n)
  if n <= PART then
    return false, unpack(list, 1, n)
  end
  return keep(list), n
end


--- A part of a long answer.
function handles.fetch(key, from, to)
  return unpack(values[key], from, to)
end


--- Any entity of the state may have moved; with `always`, may move another one from now on.
function handles.look_at_all(always)
  local ran = scheduler.ran
  if ran then
    ran.all = true
  end
  if always then
    entity.entangled = true
  end
end


--- The fields of a table without its metatable, so that `self` of an entity can be copied.
function handles.bare(value)
  if type(value) ~= "table" or not getmetatable(value) then
    return value
  end
  local copy = {}
  for key, field in next, value do
    copy[key] = field
  end
  return copy
end


--- A new table from plain data.
function handles.make(shape, ...)
  return keep((payload.decode(shape, (handles.gathered(...)), 1)))
end


--- The entity `id`; 0 is the one of a state without a world, made when it is first needed.
function handles.entity_of(id)
  return bus.entities[id] or (id == 0 and prelude.births.new(0, "state", entity.seed)) or nil
end


--- A key for the globals of the entity `id`.
function handles.environment(id)
  local env = handles.entity_of(id).env
  prelude.rare.show(env) -- as Python sees what is there
  return keep(env, id)
end


--- A key for `self` of the entity `id`; nil where there is none.
function handles.self(id)
  local me = bus.entities[id]
  return me and keep(me.self, id)
end


--- Collect all garbage, for who measures memory.
function handles.collect()
  collect()
  collect()
end


--- How many tasks of the entity `id` live.
function handles.tasks(id)
  local me = bus.entities[id]
  return me and me.task_count or 0
end


-- Calls, and the fields of tables, in files of their own.
local ELSEWHERE = { calls = { "call", "run" }, fields = { "get", "has", "own", "set", "link", "size", "keys", "copy" } }
for file, words in next, ELSEWHERE do
  for word, fn in next, prelude.files.on_first_call(file, words) do
    handles[word] = fn
  end
end


return handles
