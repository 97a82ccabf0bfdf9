-- Errors for what a script's file gave that cannot be used: no table, hooks that are no functions, wrong `properties`.

local prelude = ...

local error, type, next, rawget, load = error, type, next, rawget, load
local format, match = string.format, string.match
local getinfo = debug.getinfo

local NAMES = {
  "init", "start", "update", "fixed_update", "late_update", "on_event", "on_input", "on_reload", "final",
}

local refusals = {}


--- What the text gave is no table.
function refusals.no_script(value, name, chunk, text)
  local last = getinfo(load(text, "@" .. chunk, "t", {}), "S").lastlinedefined
  error(format("%s:%d: the script must return its table of hooks, got %s; did you forget \"return %s\"?", chunk,
    last > 0 and last or 1, value == nil and "nothing" or "a " .. type(value), name), 0)
end


--- The first hook that is no function: one that cannot be called would never be missed.
function refusals.no_hook(script, name)
  for i = 1, #NAMES do
    local hook = rawget(script, NAMES[i])
    if hook ~= nil and type(hook) ~= "function" then
      error(format("%s is a hook and must be a function, got a %s; write function %s:%s() ... end, or give it another name",
        NAMES[i], type(hook), match(name, "[%a_][%w_]*$") or "script", NAMES[i]), 0)
    end
  end
end


--- Find out, while an error is the script's own, whether its defaults can be copied.
function refusals.check_properties(properties)
  if type(properties) ~= "table" then
    error("properties must be a table such as { speed = 60 }, got a " .. type(properties), 0)
  end
  for _, value in next, properties do
    prelude.births.copy(value)
  end
end


--- The arguments of a script's `setmetatable` are wrong. A tail call, as the next: its caller is blamed.
function refusals.no_metatable(value, meta)
  if type(meta) == "table" and rawget(meta, "__gc") ~= nil then
    error("setmetatable: __gc is not available to scripts; use task.finally or the final hook", 2)
  elseif type(value) ~= "table" then
    error("bad argument #1 to 'setmetatable' (table expected, got " .. (value == nil and "nil" or type(value)) .. ")", 2)
  elseif type(meta) ~= "table" and meta ~= nil then
    error("bad argument #2 to 'setmetatable' (nil or table expected)", 2)
  end
  error("cannot change a protected metatable", 2)
end


function refusals.no_handler(value)
  error("bad argument #2 to 'xpcall' (function expected, got " .. type(value) .. ")", 2)
end


return refusals
