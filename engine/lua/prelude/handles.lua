-- What Python's handles and proxies do with the values that they stand for.
-- Guarantee: reads and writes are raw, so that no metamethod of a script runs outside its own task.
--
-- Values that are too many for one crossing go in parts: in, `stage` gathers them under a key; out, an answer is (key,
-- how many), to be fetched, instead of (false, values...).

local prelude = ...
local payload, scheduler, outbox = prelude.payload, prelude.scheduler, prelude.outbox
local bus, entity, kept = prelude.mail, prelude.entity, prelude.kept

local handles = { keep = kept.keep, count = kept.count }

local type, next, rawget, rawequal, select = type, next, rawget, rawequal, select
local getmetatable, floor, math_type = debug.getmetatable, math.floor, math.type
local unpack, collect = table.unpack or unpack, collectgarbage
local rawset = prelude.sandbox.base.rawset -- which tells who has to know
local values, keep, owner = kept.values, kept.keep, kept.owner

local CLASSES = 16 -- how far a read follows `__index` tables
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


-- Keys arrive as they are. A float that is an integer is that integer, as in Lua.
local function key_of(key)
  return (math_type and math_type(key) == "float" and floor(key) == key) and floor(key) or key
end


local function read(value, key)
  for _ = 1, CLASSES do
    local field = rawget(value, key)
    if field ~= nil then
      return field
    end
    local meta = getmetatable(value)
    value = meta and rawget(meta, "__index")
    if type(value) ~= "table" then
      return nil
    end
  end
  return nil
end


--- "plain", a shape and its leaf; "table" or "function" and a new key; "other" and its type; or "gone".
function handles.get(id, key)
  if values[id] == nil then
    return GONE
  end
  local value = read(values[id], key_of(key))
  local kind = type(value)
  if kind == "table" or kind == "function" then
    return kind, keep(value, owner(id), kept.is_leased(id))
  elseif kind == "userdata" or kind == "thread" then
    return "other", kind
  elseif value == nil then
    return "plain", "_"
  end
  return "plain", ".", value
end


--- True where a read finds something, "other" where it cannot leave.
function handles.has(id, key)
  if values[id] == nil then
    return GONE
  end
  local value = read(values[id], key_of(key))
  local kind = type(value)
  return (kind == "userdata" or kind == "thread") and "other" or value ~= nil
end


--- True where the table itself has the field.
function handles.own(id, key)
  if values[id] == nil then
    return GONE
  end
  return rawget(values[id], key_of(key)) ~= nil
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


--- Set a field to plain data, or to nil.
function handles.set(id, key, shape, ...)
  if values[id] == nil then
    return GONE
  end
  local value = payload.decode(shape, (handles.gathered(...)), 1)
  rawset(values[id], key_of(key), value)
  handles.look_at_all()
  return nil
end


--- Set a field to the value of another key.
function handles.link(id, key, other)
  if values[id] == nil or values[other] == nil then
    return GONE
  end
  rawset(values[id], key_of(key), values[other])
  handles.look_at_all(true)
  return nil
end


function handles.size(id)
  if values[id] == nil then
    return GONE
  end
  local n = 0
  for _ in next, values[id] do
    n = n + 1
  end
  return n
end


--- The keys as they are; those that are no plain data are left out.
function handles.keys(id)
  if values[id] == nil then
    return GONE
  end
  local list, n = {}, 0
  for key in next, values[id] do
    local kind = type(key)
    if kind == "string" or kind == "number" or kind == "boolean" then
      n = n + 1
      list[n] = key
    end
  end
  return handles.answer(list, n)
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


--- The whole value as an answer of shape and leaves; or "refused" and why.
function handles.copy(id)
  if values[id] == nil then
    return GONE
  end
  local list = {}
  local shape, last = payload.encode(handles.bare(values[id]), list, 1, outbox.limits, "value")
  if not shape then
    return "refused", last
  end
  list[1] = shape
  return handles.answer(list, last)
end


--- A new table from plain data.
function handles.make(shape, ...)
  return keep((payload.decode(shape, (handles.gathered(...)), 1)))
end


--- The entity `id`; 0 is the one of a state without a world, made when it is first needed.
function handles.entity_of(id)
  return bus.entities[id] or (id == 0 and entity.new(0, "state", entity.seed)) or nil
end


--- A key for the globals of the entity `id`.
function handles.environment(id)
  return keep(handles.entity_of(id).env, id)
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


--- Calls, in a file of their own.
for word, fn in next, prelude.sandbox.on_first_call("calls", { "call", "run" }) do
  handles[word] = fn
end


-- An entity that ends takes its values along.
local leave = bus.leave


function bus.leave(me)
  leave(me)
  kept.leave(me.id)
end


return handles
