-- Errors at the caller's line for arguments that are not what a function of the engine takes.

local prelude = ...
local fault = prelude.later("fault")

local error, type, tostring, format, huge = error, type, tostring, string.format, math.huge

local checks = {}


--- A value as an error shows it.
function checks.shown(value)
  local kind = type(value)
  if kind == "number" or kind == "nil" then
    return tostring(value)
  end
  return kind == "string" and format("%q", value) or "a " .. kind
end


function checks.check_seconds(word, value, level)
  if type(value) ~= "number" or not (value >= 0 and value < huge) then
    error(format("%s: seconds must be a number >= 0, got %s", word, checks.shown(value)), level + 1)
  end
end


function checks.check_function(word, value, level)
  if type(value) ~= "function" and not fault.callable(value) then
    error(format("%s: expected a function, got %s", word, value == nil and "nil" or "a " .. type(value)), level + 1)
  end
end


--- An error, `level` blames the caller, unless `id` is one of an entity.
function checks.check_id(word, id, level)
  if type(id) ~= "number" or id % 1 ~= 0 then
    error(format("%s: expected an entity id, got %s", word, type(id) == "number" and tostring(id)
      or id == nil and "nil" or "a " .. type(id)), level + 1)
  end
end


return checks
