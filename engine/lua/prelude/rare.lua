-- What few scripts call of Lua's own functions and the engine's: each is found in an environment with its first use.

local prelude = ...
local sandbox, budget, watch, files = prelude.sandbox, prelude.budget, prelude.watch, prelude.files

local type, next, rawequal, rawget, rawset = type, next, rawequal, rawget, rawset
local pcall, xpcall, find = pcall, xpcall, string.find
local raw_getmetatable, raw_setmetatable, debug_getmetatable = getmetatable, setmetatable, debug.getmetatable

local functions = { pcall = pcall, xpcall = xpcall }
local rare = { functions = functions }


function functions.getmetatable(value)
  if type(value) ~= "table" then
    return nil
  end
  return raw_getmetatable(value)
end


function functions.setmetatable(value, meta)
  local fits = type(value) == "table" and (meta == nil or type(meta) == "table" and rawget(meta, "__gc") == nil)
  local current = fits and debug_getmetatable(value)
  if not fits or current and rawget(current, "__metatable") ~= nil then
    return prelude.refusals.no_metatable(value, meta)
  elseif sandbox.on_class then
    sandbox.on_class(value)
  end
  return raw_setmetatable(value, meta)
end


--- A script gives `value` a metatable, which may do anything when a field of what is calm is read.
sandbox.on_class = sandbox.on_class or function(value)
  if rawequal(value, watch.script) then
    prelude.scheduler.rouse()
  end
end


if budget.hook then
  local function is_grave(problem)
    return budget.stopping or type(problem) == "string"
      and (find(problem, "not enough memory", 1, true) or find(problem, "stack overflow", 1, true))
  end

  local function checked(ok, ...)
    if not ok and is_grave((...)) then
      prelude.overruns.pass(nil, (...))
    end
    return ok, ...
  end

  function functions.pcall(fn, ...)
    return checked(pcall(fn, ...))
  end

  function functions.xpcall(fn, handler, ...)
    if type(handler) ~= "function" then
      return prelude.refusals.no_handler(handler)
    end
    -- After a stop no hook runs in a handler, so the script's own must not run either.
    return checked(xpcall(fn, function(problem)
      if budget.stopping then
        return problem
      end
      return handler(problem)
    end, ...))
  end
end

for file, names in next, {
  loading = { "load", "collectgarbage", "rawset", jit and "loadstring" }, tween = { "tween" }, log = { "print" },
  requiring = { "require" },
} do
  for name, fn in next, files.on_first_call(file, names) do
    functions[name] = fn
  end
end


--- Put all into an environment that somebody looks through.
function rare.show(env)
  for name, fn in next, functions do
    if rawget(env, name) == nil then
      rawset(env, name, fn)
    end
  end
end


--- The function of that name, in the place of a library.
function rare.library(name)
  return functions[name]
end


return rare
