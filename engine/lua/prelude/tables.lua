-- The table functions that scripts get where there are limits.
-- Guarantee: they do what Lua's own do, and each is counted by how many places of a table it goes over.
--
-- Lua's own functions ask a table's metatable for its length, and a table without one can claim any length too (t[2^k]
-- set for every k), so they could be sent over more places than there are atoms. Tables with a metatable go
-- through Lua code here, where every step is counted.

local prelude = ...
local charge, own = prelude.charging.charge, prelude.blame.own

local tables = {}

local insert, remove, sort, move, concat = table.insert, table.remove, table.sort, table.move, table.concat
local unpack, getmetatable, getinfo = table.unpack, debug.getmetatable, debug.getinfo
local type, rawlen, select, error = type, rawlen, select, error
local log = math.log

local FEW = 64 -- places that are worth no count
local PLACES = 4 -- that a C function goes over in the time of an instruction
local MOST_UNPACKED = 1000000 -- as Lua's own


local function plain(t)
  return type(t) == "table" and not getmetatable(t)
end


local function count(places)
  if places > FEW then
    charge(places / PLACES)
  end
end


-- A table without a metatable with the same places.
local function copy_of(t, first, last)
  local copy = {}
  for i = first, last do
    copy[i] = t[i]
  end
  return copy
end


function tables.insert(t, ...)
  local given = select("#", ...)
  if given == 1 and type(t) == "table" and not getmetatable(t) then
    t[#t + 1] = (...)
    return
  elseif type(t) ~= "table" or given ~= 2 then
    return own("insert", insert, t, ...)
  end
  local at, value = ...
  local length = plain(t) and rawlen(t) or #t
  if type(at) ~= "number" or type(length) ~= "number" then
    return own("insert", insert, t, ...)
  elseif plain(t) then
    count(length - at)
    return own("insert", insert, t, at, value)
  elseif at < 1 or at > length + 1 then
    error("bad argument #2 to 'insert' (position out of bounds)", 2)
  end
  for i = length, at, -1 do
    t[i + 1] = t[i]
  end
  t[at] = value
end


function tables.remove(t, at)
  if at == nil or type(at) ~= "number" or type(t) ~= "table" then
    return own("remove", remove, t, at)
  elseif plain(t) then
    count(rawlen(t) - at)
    return own("remove", remove, t, at)
  end
  local length = #t
  if at ~= length and (at < 1 or at > length + 1) then
    error("bad argument #2 to 'remove' (position out of bounds)", 2)
  end
  local value = t[at]
  for i = at, length - 1 do
    t[i] = t[i + 1]
  end
  if at <= length then
    t[length] = nil
  end
  return value
end


-- A C function as comparator would compare without being counted.
local function in_lua(before)
  if type(before) == "function" and getinfo(before, "S").what == "C" then
    return function(a, b)
      return before(a, b)
    end
  end
  return before
end


-- Long strings take long to compare, whoever compares them.
local function longest(t, n)
  local most = 0
  for i = 1, n do
    local value = t[i]
    if type(value) == "string" and #value > most then
      most = #value
    end
  end
  return most
end


function tables.sort(t, before)
  if type(t) ~= "table" then
    return own("sort", sort, t, before)
  end
  local is_plain = plain(t)
  local n = is_plain and rawlen(t) or #t
  if type(n) ~= "number" or n < 2 or n >= 2 ^ 31 then
    return own("sort", sort, t, before)
  end
  local swaps = n * log(n, 2)
  charge(swaps)
  local list = is_plain and t or copy_of(t, 1, n)
  if not before then
    charge(swaps * longest(list, n) / 256)
  end
  own("sort", sort, list, in_lua(before))
  if not is_plain then
    for i = 1, n do
      t[i] = list[i]
    end
  end
end


function tables.move(from, first, last, at, to)
  if type(first) == "number" and type(last) == "number" and last >= first then
    count(last - first + 1)
  end
  if to == nil then
    return own("move", move, from, first, last, at)
  end
  return own("move", move, from, first, last, at, to)
end


function tables.concat(t, separator, first, last)
  if type(t) ~= "table" or plain(t) or not (first == nil or type(first) == "number") then
    return own("concat", concat, t, separator, first, last)
  end
  first, last = first or 1, last or #t
  return own("concat", concat, copy_of(t, first, last), separator, first, last)
end


function tables.unpack(t, first, last)
  if first == nil and plain(t) then
    return own("unpack", unpack, t, 1, last)
  elseif type(t) == "table" and last == nil then
    last = plain(t) and rawlen(t) or #t
  end
  first = first or 1
  if type(first) == "number" and type(last) == "number" and last - first < MOST_UNPACKED then
    count(last - first)
  end
  return own("unpack", unpack, t, first, last)
end


return tables
