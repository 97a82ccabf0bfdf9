-- How tasks of one state end: done, failed, cancelled.
-- Guarantee: what a task left to be done at its end is done exactly once, whichever way it ends.

local prelude = ...
local turns, fault, records, budget = prelude.turns, prelude.later("fault"), prelude.records, prelude.budget

-- The scheduler is this table too: a tick should touch few tables.
local scheduler = turns

local endings = {}

local raw_close = coroutine.close
local error, setmetatable, pcall, rawequal = error, setmetatable, pcall, rawequal

local closing = false

scheduler.on_failure = nil -- function(task, value, traceback, where): an error nobody waits for
scheduler.quiet = false -- so many failures in this tick that nobody will look at another traceback
scheduler.on_pause = nil -- function(task, callback): it failed too often and is not called any more
scheduler.error_limit = nil -- failures in a row after which that happens
scheduler.CANCELLED = setmetatable({ message = "the task was cancelled" }, { __metatable = false })


--- Run what `thread` had marked `<close>`; an error there is reported, unless it is `value`, which ended the task.
local function close(entity, thread, value)
  if budget.killed[thread] then
    return
  elseif closing then
    pcall(raw_close, thread)
    if budget.stopping then
      budget.explain({ entity = entity, thread = thread })
    end
  elseif raw_close then
    closing = true
    scheduler.call(entity, "closing a task", function()
      local ok, problem = raw_close(thread)
      if not ok and not rawequal(problem, value) then
        error(problem, 0)
      end
    end)
    closing = false
  end
end
scheduler.close = close


local function run_cleanups(task)
  local list = task.cleanups
  task.cleanups = nil
  for i = budget.exhausted == budget.HALTED and 0 or #list, 1, -1 do
    scheduler.call(task.entity, "finally", list[i])
  end
end


-- Everything that ends a task comes through here, once.
local function finish(task, ok, ...)
  local state = task.state
  if state == "done" then
    return
  end
  task.state = "done"
  turns.forget(task, state)
  if task.listed then
    task.entity:disown(task)
  end
  if task.exposed then
    records.bury(task.thread)
  end
  local abandon = task.abandon
  if abandon then
    task.abandon = nil
    abandon()
  end
  if task.returns then
    scheduler.stop_each(task.returns)
  end
  if task.cleanups then
    run_cleanups(task)
  end
  local on_end = task.on_end
  if on_end then
    task.on_end = nil
    on_end(ok, ...)
  end
end


--- True after so many failures in a row that a callback is paused until its script reloads.
function scheduler.gives_up(failures)
  local limit = scheduler.error_limit
  return limit and failures >= limit or false
end


local function count_failure(task, callback)
  callback.failures = callback.failures + 1
  if not callback.paused and scheduler.gives_up(callback.failures) then
    callback.paused = true
    scheduler.on_pause(task, callback)
  end
end


local function fail(task, value)
  value = budget.explain(task, value)
  local text = fault.locate(task.thread, value)
  local trace = scheduler.quiet and "" or fault.trace(task.thread, text)
  local cause = task.cause
  if cause and fault.stems_from(value, cause.value) then
    trace = trace .. "\n" .. cause.trace
  end
  close(task.entity, task.thread, value)
  local callback = task.callback
  if not task.resumed_by_script and (not task.on_end or task.reported) then
    scheduler.on_failure(task, text, trace)
  end
  if callback then
    count_failure(task, callback)
  end
  finish(task, false, value, trace)
end


local function retire(task)
  local callback = task.callback
  if callback then
    callback.failures = 0
    task.callback = nil
  end
  if task.exposed or task.listed or task.cleanups or task.on_end or task.abandon then
    finish(task, true)
  end
  records.release(task)
end


local function destroy(task)
  close(task.entity, task.thread)
  finish(task, false, scheduler.CANCELLED)
end


endings.finish, endings.fail, endings.retire, endings.destroy = finish, fail, retire, destroy


return endings
