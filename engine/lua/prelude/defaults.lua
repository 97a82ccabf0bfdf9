-- Copies default values of `properties`, so that no two entities share a table.

local error, next, type, format = error, next, type, string.format

local DEEPEST, MOST_TABLES = 32, 10000

local defaults = {}

local copied = 0 -- tables of this copy


local function copy_table(value, depth)
  copied = copied + 1
  if depth > DEEPEST or copied > MOST_TABLES then
    error(format("properties: more than %d levels of tables, or %d tables, or one that contains itself", DEEPEST,
      MOST_TABLES), 0)
  end
  local made = {}
  for key, field in next, value do
    made[key] = type(field) == "table" and copy_table(field, depth + 1) or field
  end
  return made
end


--- A copy of a table; an error where that does not end.
function defaults.copy(value)
  copied = 0
  return copy_table(value, 1)
end


return defaults
