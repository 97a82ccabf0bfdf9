-- Values as one line for people: `{1, 2, name = "door"}`.
-- Guarantee: runs no metamethod, and the same table is the same text on every run; of a big one only a part is shown.

local prelude = ...

local next, rawget, tostring, type = next, rawget, tostring, type
local concat, format, sort, sub = table.concat, string.format, table.sort, string.sub

local shown = {}

local DEPTH = 3
local FIELDS = { 20, 20, 40 } -- of a table that are shown, by the levels that may be below it
local SEEN = 100 -- fields that are looked at: of a table with more of them only the list is shown, as `next` has no order
local LONGEST = 200 -- bytes of a string in a table

local show


local function key_of(key)
  return type(key) == "string" and sub(key, 1, LONGEST) or "[" .. show(key, 0) .. "]"
end


-- The fields of `value` behind its list of `length`, sorted; nil for too many.
local function named_fields(value, length, depth)
  local names, seen = {}, 0
  for key, field in next, value do
    seen = seen + 1
    if seen > SEEN then
      return nil
    elseif type(key) ~= "number" or key < 1 or key > length or key % 1 ~= 0 then
      names[#names + 1] = key_of(key) .. " = " .. show(field, depth - 1)
    end
  end
  sort(names)
  return names
end


local function show_table(value, depth)
  local parts, most = {}, FIELDS[depth]
  while #parts <= most and rawget(value, #parts + 1) ~= nil do
    parts[#parts + 1] = show(rawget(value, #parts + 1), depth - 1)
  end
  local names = #parts <= most and named_fields(value, #parts, depth)
  for i = 1, names and #names or 0 do
    parts[#parts + 1] = names[i]
  end
  prelude.charging.charge(4 * #parts)
  if not names or #parts > most then
    parts[#parts > most and most or #parts + 1] = "..."
  end
  return "{" .. concat(parts, ", ", 1, #parts > most and most or #parts) .. "}"
end


function show(value, depth)
  local kind = type(value)
  if kind == "string" then
    return format("%q", #value > LONGEST and depth < DEPTH and sub(value, 1, LONGEST) .. "..." or value)
  elseif kind ~= "table" then
    return (kind == "function" or kind == "thread") and "a " .. kind or tostring(value)
  elseif depth == 0 then
    return next(value) == nil and "{}" or "{...}"
  end
  return show_table(value, depth)
end


--- One line for any value; tables with what is in them.
function shown.value(value)
  return show(value, DEPTH)
end


return shown
