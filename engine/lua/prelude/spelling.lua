-- Spells plain data as a shape and its leaves by the rules: sorts keys, knows where it is, says what is wrong.
-- Guarantee: equal tables have the same shape and the same order of leaves, in whatever order their keys were set.
--
--   shape = "_" | node                            "_" is nil and has no leaf
--   node  = "." | "{" pair* "}" | "[" item+ "]"    a leaf, a map (or the empty table), an array
--   pair  = key node                              integer keys first, each kind ascending
--   key   = length ":" bytes | "i" decimal ":"
--   item  = node | count "."                      two or more leaves in a row are always a run
--
-- Size in bytes: a number is 8, a boolean 1, a string its length but at least 1, a table 8; in maps, an integer key
-- is 8 and a string key its length. No payload has more leaves than bytes. `engine/spelling.py` counts the same.

local prelude = ... -- luacheck: ignore 211

local type, next, tostring = type, next, tostring
local math_type, floor = math.type, math.floor
local byte, find, format, gsub, sub = string.byte, string.find, string.format, string.gsub, string.sub
local concat, sort = table.concat, table.sort
-- The debug one looks past `__metatable`, so no script can hide a metatable.
local getmetatable = debug.getmetatable

local spelling = {}

-- Deeper tables are refused whatever the limits say: walks recurse, and every Lua has room for this many calls.
local DEEPEST = 128


local function escape(char)
  return format("\\%03d", byte(char))
end


local function path_of(job, level)
  local parts = { job.word }
  for i = 1, level do
    local key = job.path[i]
    if type(key) == "number" then
      parts[i + 1] = format("[%d]", key)
    elseif find(key, "^[A-Za-z_][A-Za-z0-9_]*$") and #key <= 40 then
      parts[i + 1] = "." .. key
    else
      local shown = gsub(sub(key, 1, 40), '[%c"\\]', escape)
      parts[i + 1] = '["' .. shown .. (#key > 40 and '..."]' or '"]')
    end
  end
  return concat(parts)
end


-- `level` tells how many keys of the path lead to the culprit.
local function refuse(job, level, why)
  job.reason = path_of(job, level) .. ": " .. why
  return false
end


local function put(job, part)
  local p = job.p + 1
  job.p = p
  job.parts[p] = part
end


local function pay(job, bytes)
  job.size = job.size + bytes
  return job.size <= job.bytes or refuse(job, 0, format("larger than %.0f bytes", job.bytes))
end


local function leaf_size(value, kind)
  if kind == "number" then
    return 8
  elseif kind == "string" then
    return #value > 0 and #value or 1
  elseif kind == "boolean" then
    return 1
  end
end


-- LuaJIT has one kind of number; there, a whole number that it can tell from its neighbours is an integer.
local function is_integer(key)
  if math_type then
    return math_type(key) == "integer"
  end
  return floor(key) == key and key >= -2^53 and key <= 2^53
end


-- The sorted integer keys and string keys of `t` and their numbers; or nil and a key that is neither; or nil for more
-- than `most` keys, because sorting a million of them is time that no instruction count stops.
local function sorted_keys(t, most)
  local integers, strings, i, s = {}, {}, 0, 0
  for key in next, t do
    local kind = type(key)
    if kind == "string" then
      s = s + 1
      strings[s] = key
    elseif kind == "number" and is_integer(key) then
      i = i + 1
      integers[i] = key + 0 -- makes a -0 of LuaJIT a 0
    else
      return nil, key
    end
    if i + s > most then
      return nil
    end
  end
  if i > 1 then
    sort(integers)
  end
  if s > 1 then
    sort(strings)
  end
  return integers, strings, i, s
end


-- A leaf takes at least one byte, so too many keys, which come here as nil, are too many bytes.
local function refuse_key(job, level, key)
  if key == nil then
    return pay(job, job.bytes)
  end
  local kind = type(key)
  local shown = (kind == "number" or kind == "boolean") and kind .. " " .. tostring(key) or "a " .. kind
  return refuse(job, level, "keys must be strings or integers, got " .. shown)
end


local function put_run(job, run)
  if run > 0 then
    put(job, run > 1 and format("%d.", run) or ".")
  end
  return 0
end


local spell_table

-- True for a leaf, false when refused, nil for a table, which is still to be spelled.
local function take_leaf(job, value, level)
  local kind = type(value)
  if kind == "table" then
    return nil
  end
  local bytes = leaf_size(value, kind)
  if not bytes then
    return refuse(job, level, "a " .. kind .. " cannot leave its state")
  elseif not pay(job, bytes) then
    return false
  end
  job.n = job.n + 1
  job.out[job.n] = value
  return true
end


local function spell_array(job, array, length, level)
  local run = 0
  put(job, "[")
  for i = 1, length do
    job.path[level] = i
    local value = array[i]
    local leaf = take_leaf(job, value, level)
    if leaf then
      run = run + 1
    else
      run = put_run(job, run)
      if leaf == false or not spell_table(job, value, level + 1) then
        return false
      end
    end
  end
  put_run(job, run)
  put(job, "]")
  return true
end


local function spell_pair(job, map, key, level)
  job.path[level] = key
  if type(key) == "string" then
    put(job, format("%d:", #key))
    put(job, key)
  else
    put(job, format("i%d:", key))
  end
  if not pay(job, type(key) == "string" and #key or 8) then
    return false
  end
  local leaf = take_leaf(job, map[key], level)
  if leaf then
    put(job, ".")
    return true
  end
  return leaf == nil and spell_table(job, map[key], level + 1)
end


local function spell_map(job, map, integers, strings, level)
  put(job, "{")
  for i = 1, #integers do
    if not spell_pair(job, map, integers[i], level) then
      return false
    end
  end
  for i = 1, #strings do
    if not spell_pair(job, map, strings[i], level) then
      return false
    end
  end
  put(job, "}")
  return true
end


function spell_table(job, t, level)
  if job.open[t] then
    return refuse(job, level - 1, "a cycle: the table is inside itself")
  elseif getmetatable(t) ~= nil then
    return refuse(job, level - 1, "a table with a metatable cannot leave its state")
  elseif level > job.depth then
    return refuse(job, level - 1, format("more than %d levels of tables", job.depth))
  elseif not pay(job, 8) then
    return false
  end
  local integers, strings, i, s = sorted_keys(t, job.bytes - job.size)
  if not integers then
    return refuse_key(job, level - 1, strings)
  end
  job.levels = level > job.levels and level or job.levels
  job.open[t] = true
  local done
  if i > 0 and s == 0 and integers[1] == 1 and integers[i] == i then
    done = spell_array(job, t, i, level)
  else
    job.sorted = job.sorted or i + s > 1
    done = spell_map(job, t, integers, strings, level)
  end
  job.open[t] = nil
  return done
end


local function new_job(out, n, limits, word)
  return {
    out = out, n = n, parts = {}, p = 0, path = {}, open = {}, size = 0, levels = 0, sorted = false,
    bytes = limits.bytes, depth = limits.depth < DEEPEST and limits.depth or DEEPEST, word = word or "payload",
  }
end


-- Leaves nothing of a refused payload behind; `out` may hold what a fast walk wrote.
local function clear(out, n)
  n = n + 1
  while out[n] ~= nil do
    out[n] = nil
    n = n + 1
  end
end


--- Shape of `value`, the new end of `out`, and what `payload` learns from: the job. Or nil and why it was refused.
function spelling.encode(value, out, n, limits, word)
  if value == nil then
    return "_", n
  end
  local job = new_job(out, n, limits, word)
  if type(value) ~= "table" then
    if take_leaf(job, value, 0) then
      return ".", job.n
    end
    return nil, job.reason
  elseif not spell_table(job, value, 1) then
    clear(out, n)
    return nil, job.reason
  end
  return concat(job.parts), job.n, job
end


spelling.escape = escape
spelling.leaf_size = leaf_size
spelling.sorted_keys = sorted_keys


return spelling
