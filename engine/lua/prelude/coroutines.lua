-- The `coroutine` library that scripts get: their own coroutines, with `wait` working inside them.
-- Guarantee: a wait in an inner coroutine suspends the whole task; every other yield reaches the script's own `resume`
-- with all its values. What Lua itself says about dead and running coroutines stays as it is.

local prelude = ...
local scheduler, fault = prelude.scheduler, prelude.fault

local raw_resume, raw_yield, raw_status = coroutine.resume, coroutine.yield, coroutine.status
local raw_running, raw_close, isyieldable = coroutine.running, coroutine.close, coroutine.isyieldable
local error, select, type, setmetatable = error, select, type, setmetatable
local SUSPEND = scheduler.SUSPEND
local PREFIXES = _VERSION ~= "Lua 5.1" -- PUC Lua puts the caller's place before an error that leaves `wrap`

local coroutines = {}

local waiting = setmetatable({}, { __mode = "k" }) -- inner coroutines whose task is suspended


-- Hands a wait of the inner coroutine on to the task around it, and goes on when that is resumed.
local function relay(co, ...)
  local ok, token = ...
  if token ~= SUSPEND or not ok then
    return ...
  end
  if not isyieldable() then
    error("wait: cannot wait inside " .. fault.in_the_way() .. ", which is a C function", 0)
  end
  waiting[co] = true
  return relay(co, raw_resume(co, raw_yield(select(2, ...))))
end


-- Clears the mark that `relay` set; a coroutine that never waited never had one.
local function settled(co, ...)
  if waiting[co] then
    waiting[co] = nil
  end
  return ...
end


local function resume(co, ...)
  if type(co) == "thread" then
    local task = scheduler.task_of(co)
    if task and task.state ~= "done" then
      if raw_status(co) ~= "suspended" then
        return raw_resume(co)
      end
      return scheduler.start(task, ...)
    elseif waiting[co] then
      return false, "cannot resume non-suspended coroutine"
    end
  end
  return settled(co, relay(co, raw_resume(co, ...)))
end
coroutines.resume = resume


local function unwrap(co, ok, ...)
  if ok then
    return ...
  end
  local failure = ...
  if raw_close then
    raw_close(co)
  end
  if PREFIXES and type(failure) == "string" then
    error(failure, 3)
  end
  error(failure, 0)
end


function coroutines.create(fn)
  if type(fn) ~= "function" then
    error("bad argument #1 to 'create' (function expected)", 2)
  end
  return scheduler.new_thread(fn)
end


function coroutines.wrap(fn)
  if type(fn) ~= "function" then
    error("bad argument #1 to 'wrap' (function expected)", 2)
  end
  local co = scheduler.new_thread(fn)
  return function(...)
    return unwrap(co, resume(co, ...))
  end
end


function coroutines.running()
  local task = scheduler.current
  local co, main = raw_running()
  if task and task.thread == co then
    scheduler.expose(task)
  end
  return co, main
end


if raw_close then
  function coroutines.close(co)
    local task = type(co) == "thread" and scheduler.task_of(co)
    if task and raw_status(co) == "suspended" then
      scheduler.cancel(task)
      return true
    end
    return raw_close(co)
  end
end


coroutines.yield = raw_yield
coroutines.status = raw_status
coroutines.isyieldable = isyieldable


return coroutines
