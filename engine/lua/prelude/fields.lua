-- What a proxy reads and writes: the fields of one table.
-- Guarantee: reads and writes are raw, so that no metamethod of a script runs outside its own task.

local prelude = ...
local payload, outbox, handles, kept = prelude.payload, prelude.outbox, prelude.handles, prelude.kept

local fields = {}

local type, next, rawget, getmetatable = type, next, rawget, debug.getmetatable
local floor, math_type = math.floor, math.type
local rawset = prelude.rare.functions.rawset -- which tells who has to know
local values, keep, owner = kept.values, kept.keep, kept.owner
local GONE = handles.GONE

local CLASSES = 16 -- how far a read follows `__index` tables


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
function fields.get(id, key)
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
function fields.has(id, key)
  if values[id] == nil then
    return GONE
  end
  local value = read(values[id], key_of(key))
  local kind = type(value)
  return (kind == "userdata" or kind == "thread") and "other" or value ~= nil
end


--- True where the table itself has the field.
function fields.own(id, key)
  if values[id] == nil then
    return GONE
  end
  return rawget(values[id], key_of(key)) ~= nil
end


--- Set a field to plain data, or to nil.
function fields.set(id, key, shape, ...)
  if values[id] == nil then
    return GONE
  end
  local value = payload.decode(shape, (handles.gathered(...)), 1)
  rawset(values[id], key_of(key), value)
  handles.look_at_all()
  return nil
end


--- Set a field to the value of another key.
function fields.link(id, key, other)
  if values[id] == nil or values[other] == nil then
    return GONE
  end
  rawset(values[id], key_of(key), values[other])
  handles.look_at_all(true)
  return nil
end


function fields.size(id)
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
function fields.keys(id)
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


--- The whole value as an answer of shape and leaves; or "refused" and why.
function fields.copy(id)
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


return fields
