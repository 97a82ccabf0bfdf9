-- Lua values that Python holds: an integer key stands for each, and a key is never used twice.
-- Guarantee: reads and writes are raw, so that no metamethod of a script runs outside its own task.

local prelude = ...
local payload, scheduler, outbox, fault = prelude.payload, prelude.scheduler, prelude.outbox, prelude.fault
local bus, entity = prelude.bus, prelude.entity

local handles = { seed = 0 }

local type, next, rawget, rawset, rawequal, select, load = type, next, rawget, rawset, rawequal, select, load
local getmetatable, floor, math_type = debug.getmetatable, math.floor, math.type
local unpack = table.unpack or unpack

local CLASSES = 16 -- how far a read follows `__index` tables

local values, last = {}, 0


--- A new key for `value`.
function handles.keep(value)
  last = last + 1
  values[last] = value
  return last
end


function handles.release(key)
  values[key] = nil
end


--- The value of `key`; nil once it was released.
function handles.value(key)
  return values[key]
end


--- A second key for the same value.
function handles.again(key)
  return handles.keep(values[key])
end


function handles.same(a, b)
  return rawequal(values[a], values[b])
end


function handles.count()
  local n = 0
  for _ in next, values do
    n = n + 1
  end
  return n
end


-- What Python gets for `value`: "plain" and the payload, or "table" / "function" and a new key, or "other" and its type.
local function give(value)
  local kind = type(value)
  if kind == "table" or kind == "function" then
    return kind, handles.keep(value)
  elseif kind == "userdata" or kind == "thread" then
    return "other", kind
  end
  return "plain", value == nil and "_" or ".", value
end


-- Keys arrive as they are: a number or a string. A float that is an integer is that integer, as in Lua.
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


function handles.get(id, key)
  return give(read(values[id], key_of(key)))
end


--- Set a field to plain data, or to nil.
function handles.set(id, key, shape, ...)
  local value = payload.decode(shape, { ... }, 1)
  rawset(values[id], key_of(key), value)
end


--- Set a field to the value of another key.
function handles.link(id, key, other)
  rawset(values[id], key_of(key), values[other])
end


--- The keys as they are; those that are no plain data are left out.
function handles.keys(id)
  local list = {}
  for key in next, values[id] do
    local kind = type(key)
    if kind == "string" or kind == "number" or kind == "boolean" then
      list[#list + 1] = key
    end
  end
  return unpack(list)
end


-- The fields of a table without its metatable, so that `self` of an entity can be copied.
local function bare(value)
  if type(value) ~= "table" or not getmetatable(value) then
    return value
  end
  local copy = {}
  for key, field in next, value do
    copy[key] = field
  end
  return copy
end


--- The whole value as a payload: true, shape and leaves; or false and why not.
function handles.copy(id)
  local box = {}
  local shape, last_leaf = payload.encode(bare(values[id]), box, 0, outbox.limits, "value")
  if not shape then
    return false, last_leaf
  end
  return true, shape, unpack(box, 1, last_leaf)
end


--- A new table or value from plain data.
function handles.make(shape, ...)
  return handles.keep((payload.decode(shape, { ... }, 1)))
end


local function results(...)
  local n = select("#", ...)
  local out = { n }
  local at = 1
  for i = 1, n do
    local kind, what, value = give((select(i, ...)))
    if value == nil then
      value = false -- no holes
    end
    out[at + 1], out[at + 2], out[at + 3] = kind, what, value
    at = at + 3
  end
  return unpack(out, 1, at)
end


-- Runs `fn` as a task of `me` that may not wait. Returns true, the number of results and three values for each; or
-- false, message and traceback.
local function protected(me, what, fn)
  local answer
  local problem, trace
  scheduler.call_watched(me, what, function(ok, value, stack)
    if not ok then
      problem, trace = fault.describe(value), stack or ""
    end
  end, function()
    answer = { results(fn()) }
  end)
  if problem then
    return false, problem, trace
  end
  return true, unpack(answer, 1, #answer)
end


--- Call the kept function `key` for the entity `id`. An argument is a shape and its leaves, or true and another key.
function handles.call(id, key, ...)
  local packed, total = { ... }, select("#", ...)
  local args, n, at = {}, 0, 1
  while at <= total do
    n = n + 1
    if packed[at] == true then
      args[n], at = values[packed[at + 1]], at + 2
    else
      args[n], at = payload.decode(packed[at], packed, at + 1)
    end
  end
  local fn = values[key]
  return protected(bus.entities[id], "a call from Python", function()
    return fn(unpack(args, 1, n))
  end)
end


-- The entity `id`; 0 is the one of a state without a world, made when it is first needed.
local function owner(id)
  return bus.entities[id] or entity.new(id, "state", handles.seed)
end


--- Run the text of a chunk in the environment of the entity `id`.
function handles.run(id, text, chunk)
  local me = owner(id)
  local fn, problem = load(text, "@" .. chunk, "t", me.env)
  if not fn then
    return false, problem, ""
  end
  return protected(me, "a chunk run from Python", fn)
end


--- A key for the globals, or for `self`, of the entity `id`; nil where there is none.
function handles.environment(id)
  return handles.keep(owner(id).env)
end


function handles.self(id)
  local me = bus.entities[id]
  return me and handles.keep(me.self)
end


return handles
