-- Puts the bounded library functions in the place of Lua's own, where there are limits.
-- Guarantee: nothing that a script can call catches a stop, or works for long without being counted.

local prelude = ...
local budget, overruns, sandbox, library = prelude.budget, prelude.later("overruns"), prelude.sandbox, prelude.library

local guards = {}

local error, pcall, xpcall, type, collect = error, pcall, xpcall, type, collectgarbage
local base = sandbox.base


local function checked(ok, ...)
  if not ok then
    overruns.pass(nil, (...))
  end
  return ok, ...
end


function base.pcall(fn, ...)
  return checked(pcall(fn, ...))
end


function base.xpcall(fn, handler, ...)
  if type(handler) ~= "function" then
    error("bad argument #2 to 'xpcall' (function expected, got " .. type(handler) .. ")", 2)
  end
  -- After a stop no hook runs in a handler, so the script's own must not run either.
  return checked(xpcall(fn, function(problem)
    if budget.stopping then
      return problem
    end
    return handler(problem)
  end, ...))
end


sandbox.bounded = true
if base.unpack then
  base.unpack = sandbox.on_first_call("tables", { "unpack" }).unpack
end


-- Questions to Python are asked only while there is room for the answer.
local adopt = library.adopt
function library.adopt(ask, fixed_step)
  adopt(function(...)
    if collect("count") > budget.kibibytes then
      overruns.check_memory()
    end
    return ask(...)
  end, fixed_step)
end


return guards
