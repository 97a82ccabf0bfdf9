-- The `coroutine` library that scripts get: their own coroutines, with `wait` working inside them.
-- Guarantee: a wait in an inner coroutine suspends the whole task; every other yield reaches the script's own `resume`
-- with all its values. What Lua itself says about dead and running coroutines stays as it is.

local prelude = ...
local scheduler, fault, records, budget = prelude.scheduler, prelude.later("fault"), prelude.records, prelude.budget
local exposed, stops, overruns = prelude.exposed, prelude.later("stops"), prelude.later("overruns")

local raw_resume, raw_yield, raw_status = coroutine.resume, coroutine.yield, coroutine.status
local raw_running, raw_close, isyieldable = coroutine.running, coroutine.close, coroutine.isyieldable
local error, select, type, setmetatable = error, select, type, setmetatable
local SUSPEND, REFUSED = records.SUSPEND, records.REFUSED
local come_back, several = prelude.waiting.come_back, prelude.later("several")
local ABORT = records.token("abort") -- yielded by a coroutine that cancels itself
local CLOSES_ITSELF = _VERSION == "Lua 5.5" -- a coroutine that calls `close` without one
local ABORTED = "the coroutine was cancelled"

local coroutines = {}

local waiting = setmetatable({}, { __mode = "k" }) -- inner coroutines whose task is suspended: true, or ABORT


-- Ends a coroutine that is no task: Lua itself would still resume it, so it is remembered as dead.
local function bury(co)
  waiting[co] = nil
  exposed.bury(co)
  stops.close(scheduler.current.entity, co)
end


-- Hands a wait of the inner coroutine on to the task around it, and goes on when that is resumed.
local function relay(co, ...)
  local ok, token = ...
  if not ok or token ~= SUSPEND and token ~= ABORT then
    return ...
  elseif token == ABORT then
    bury(co)
    return false, ABORTED
  elseif not isyieldable() then
    return relay(co, raw_resume(co, REFUSED, fault.in_the_way()))
  end
  waiting[co] = true
  come_back()
  local first, second = raw_yield(select(2, ...))
  if waiting[co] == ABORT then
    bury(co)
    return false, ABORTED
  end
  return relay(co, raw_resume(co, first, second))
end


-- Clears the mark that `relay` set; a coroutine that never waited never had one.
local function settled(co, ok, ...)
  if waiting[co] then
    waiting[co] = nil
  end
  if not ok then
    overruns.pass(co, (...))
  end
  return ok, ...
end


local function handed_back(task, ...)
  task.resumed_by_script = nil
  return ...
end


--- Why `co` cannot be resumed by a script now, in Lua's own words where it has some; nil where it can.
function coroutines.obstacle(co)
  local status = coroutines.status(co)
  if status == "dead" then
    return "cannot resume dead coroutine"
  elseif status ~= "suspended" then
    return "cannot resume non-suspended coroutine"
  end
  local task = exposed.task_of(co)
  if task and task.abandon then
    return "cannot resume a task that waits for an event, an answer or other tasks"
  end
  return nil
end


local function resume(co, ...)
  if type(co) ~= "thread" then
    error("bad argument #1 to 'resume' (coroutine expected)", 2)
  end
  local task = exposed.task_of(co)
  if task or waiting[co] then
    local reason = coroutines.obstacle(co)
    if reason then
      return false, reason
    end
    task.resumed_by_script = true
    return handed_back(task, several.start(task, ...))
  end
  return settled(co, relay(co, raw_resume(co, ...)))
end
coroutines.resume = resume


local function unwrap(co, ok, ...)
  if ok then
    return ...
  end
  local failure = ...
  if raw_close and raw_status(co) == "dead" and not budget.killed[co] then
    local closed, problem = raw_close(co)
    failure = closed and failure or problem
    overruns.pass(co)
  end
  error(failure, type(failure) == "string" and 2 or 0) -- Lua too puts the caller's place before the text
end


function coroutines.create(fn)
  if type(fn) ~= "function" then
    error("bad argument #1 to 'create' (function expected)", 2)
  end
  return records.new_thread(fn)
end


function coroutines.wrap(fn)
  if type(fn) ~= "function" then
    error("bad argument #1 to 'wrap' (function expected)", 2)
  end
  local co = records.new_thread(fn)
  return function(...)
    return unwrap(co, resume(co, ...))
  end
end


--- As Lua says it; a coroutine whose `wait` suspended the task around it is still at work.
function coroutines.status(co)
  if type(co) ~= "thread" then
    error("bad argument #1 to 'status' (coroutine expected)", 2)
  end
  local task = exposed.task_of(co)
  if task and task.state == "done" then
    return "dead"
  elseif waiting[co] then
    return "normal"
  end
  return raw_status(co)
end


--- The running thread, and only that: no script runs on a main thread, and Lua 5.1 and Luau do not tell either.
function coroutines.running()
  local task = scheduler.current
  local co = raw_running()
  if task and task.thread == co then
    exposed.expose(task)
  end
  return co
end


local function passed(co, ok, ...)
  if not ok then
    overruns.pass(co, (...))
  end
  return ok, ...
end


--- Lua's own, also where Lua has none.
function coroutines.close(...)
  local co = ...
  if type(co) == "thread" then
    local task, status = exposed.task_of(co), coroutines.status(co)
    if task and status == "dead" then
      return true
    elseif task and status == "suspended" then
      stops.stop(task)
      return true
    elseif waiting[co] or not raw_close and status ~= "dead" and status ~= "suspended" then
      error("cannot close a " .. status .. " coroutine", 2)
    end
  elseif select("#", ...) > 0 or not CLOSES_ITSELF then
    error("bad argument #1 to 'close' (coroutine expected)", 2)
  end
  if budget.killed[co or false] then
    return false, "the coroutine was stopped"
  elseif raw_close then
    return passed(co, raw_close(...))
  end
  exposed.bury(co)
  return true
end


--- End a coroutine that is no task, wherever it stands: what `task.cancel` does. One that resumes others goes on.
function coroutines.abort(co)
  if waiting[co] then
    waiting[co] = ABORT
  elseif raw_status(co) == "suspended" then
    bury(co)
  elseif co == raw_running() and isyieldable() then
    raw_yield(ABORT)
  end
end


coroutines.yield = raw_yield
coroutines.isyieldable = isyieldable


function coroutines.library()
  scheduler.has_coroutines = true -- no task leads from here on; one that does comes back, if not now, then before it yields
  local away = come_back()
  local made = prelude.files.pick(coroutines, {
    "create", "resume", "wrap", "yield", "status", "running", "isyieldable", "close",
  })
  if away then
    function made.yield(...)
      come_back()
      return raw_yield(...)
    end
  end
  return made
end


return coroutines
