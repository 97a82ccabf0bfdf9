-- What has changed in an old version since the new one was given its data.
-- Guarantee: values are compared, nobody's word is taken for it; nothing of a script runs meanwhile.

local prelude = ...
local payload, outbox, reload = prelude.payload, prelude.outbox, prelude.reload
local by_id, receive = prelude.mail.entities, prelude.mail.receive

local type, next, rawequal, get_class = type, next, rawequal, debug.getmetatable
local byte, unpack = string.byte, table.unpack or unpack
local kind_of = math.type or type -- luacheck: ignore 143

local TRANSIENT = byte("_")
local MOST_VALUES = 200 -- of fields that changed
local LIMITS = { bytes = 65536, depth = outbox.limits.depth }
local PLAIN = { number = true, boolean = true, string = true }

local since = {}

local list = {}


local function copy(value)
  if type(value) ~= "table" then
    return value
  end
  local made = {}
  for key, field in next, value do
    made[key] = copy(field)
  end
  return made
end


-- Whether two values are the same: 1 is not 1.0 here, nor 0.0 what -0.0 is.
local function same(value, before)
  if type(value) ~= "table" or type(before) ~= "table" then
    return rawequal(value, before) and kind_of(value) == kind_of(before) and (value ~= 0 or 1 / value == 1 / before)
  elseif get_class(value) ~= nil then
    return false
  end
  for key, field in next, value do
    if not same(field, before[key]) then
      return false
    end
  end
  for key in next, before do
    if value[key] == nil then
      return false
    end
  end
  return true
end


--- As `snapshot`, and notes what was taken: copies of the fields, and which of them are tables, or whole numbers of which kind.
function receive.take(box, i)
  local me, place = by_id[box[i]], outbox.n + 4
  local after = receive.snapshot(box, i)
  me.taken = nil
  if outbox.list[place] == false then
    return after
  end
  local taken, subtle, count = {}, {}, 0
  for key, value in next, me.self do
    if type(key) ~= "string" then
      return after
    elseif byte(key) ~= TRANSIENT then
      taken[key], count = copy(value), count + 1
      subtle[key] = type(value) == "table" or type(value) == "number" and value % 1 == 0 and kind_of(value)
    end
  end
  me.taken, me.subtle, me.count = taken, subtle, count
  return after
end


-- All fields that changed as a payload, where one of them is a table.
local function encoded(n)
  local fields, leaves = {}, {}
  for i = 1, n, 2 do
    fields[list[i]] = list[i + 1]
  end
  local shape, last = payload.encode(fields, leaves, 0, LIMITS, "self")
  if not shape or last > MOST_VALUES then
    return false
  end
  return true, shape, unpack(leaves, 1, last)
end


--- The fields that have other values than those that were taken: names and values, or true and a payload where one is a
-- table; nothing where all are as they were. False where that is no way to tell: one that the start has touched, as
-- `names` tells, or one that is gone.
function since.changes(id, names)
  local me = by_id[id]
  local taken, subtle, left, n, plain, bytes = me.taken, me.subtle, me.count, 0, true, 0
  if not taken then
    return false
  end
  for key, value in next, me.self do
    local before = taken[key]
    if before ~= nil then
      left = left - 1
    end
    local changed, mark = false, subtle[key]
    if mark == true then
      changed = not same(value, before)
    elseif before ~= value then -- not two tables, so nothing of a script runs
      changed = true
    elseif mark then
      changed = kind_of(value) ~= mark or value == 0 and 1 / value ~= 1 / before
    end
    if changed and type(key) ~= "string" then
      return false
    elseif changed and byte(key) ~= TRANSIENT then
      local kind = type(value)
      bytes = kind == "string" and bytes + #value or bytes
      if reload.has(names, key) or bytes > LIMITS.bytes then
        return false
      end
      list[n + 1], list[n + 2] = key, value
      n, plain = n + 2, plain and PLAIN[kind]
    end
  end
  if left > 0 then
    return false
  end
  if plain and n <= MOST_VALUES then
    return unpack(list, 1, n)
  end
  return encoded(n)
end


return since
