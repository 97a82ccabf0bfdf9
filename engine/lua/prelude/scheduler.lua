-- Runs the tasks of one state. A task is a record around a Lua thread; it never leaves this state.
-- Guarantee: a task is resumed by nobody but its scheduler, never after its end, and its clean-ups run exactly once.
--
-- A task suspends by yielding `SUSPEND` and what it waits for: true (the next frame), a time, or nothing (somebody
-- else wakes it). Scripts never get hold of `SUSPEND`, so nothing they yield can be taken for a request.
--
-- States of a task: "new", "running", "instant" (runs and may not wait), "cancelled" (runs until it next waits),
-- "next" (waits for the next frame), "waiting", "parked" (yielded by itself), "done".

local prelude = ...
local turns, records, endings = prelude.turns, prelude.records, prelude.endings
local suspension, stops, failures = prelude.later("suspension"), prelude.later("stops"), prelude.later("failures")
local come_back = prelude.waiting.come_back

-- This table too: a tick should touch few tables.
local scheduler = turns

local raw_resume, raw_status = coroutine.resume, coroutine.status
local hire, next_frame, several = records.hire, turns.next_frame, prelude.later("several")
local finish, retire = endings.finish, endings.retire

local SUSPEND, REFUSED, DONE = records.SUSPEND, records.REFUSED, records.DONE

scheduler.SUSPEND = SUSPEND
scheduler.error_limit = nil -- failures in a row after which a callback is paused
scheduler.has_coroutines = false -- scripts have the library, and may make their own
scheduler.quiet = false -- so many failures in this tick that nobody will look at another traceback


-- Makes the entity answer for a task that does not end at once. Returns true, or false and why it may not live on.
local function keep(task)
  local full = not task.listed and task.entity:own(task)
  if full then
    failures.fail(task, full)
    return false, full
  end
  return true
end
scheduler.keep = keep


local function sleep(task, request)
  local kept, full = keep(task)
  if not kept then
    return false, full
  elseif request == true then
    return next_frame(task)
  end
  task.state = "waiting"
  if request then
    several.sleep_until(task, request)
  end
  return true
end


-- What happened when `task` last ran: it waits, ended, failed, or yielded a value of its own.
local function settle(task, outer, ...)
  scheduler.current = outer
  if scheduler.ran then
    scheduler.mark(task.entity)
  end
  local ok, token, request = ...
  if token == SUSPEND and ok then
    if task.state == "running" then
      if request == true and task.listed then
        return next_frame(task)
      end
      return sleep(task, request)
    elseif task.state == "instant" then
      scheduler.current = task
      return settle(task, outer, raw_resume(task.thread, REFUSED))
    end
    return stops.destroy(task)
  elseif not ok then
    failures.fail(task, token)
    return ...
  elseif token == DONE then
    retire(task)
    return true
  elseif raw_status(task.thread) == "dead" then
    if task.callback then
      task.callback.failures = 0
    end
    finish(task, ...)
    return ...
  end
  return suspension.park(task, ...)
end
scheduler.settle = settle


--- Resume threads with `fn` from here on, as a trace does.
function scheduler.resume_with(fn)
  raw_resume, scheduler.raw_resume = fn, fn
end


--- Resume `task` now with these values. Returns what `coroutine.resume` would: true and its own values, or the error.
local function resume(task, ...)
  local outer = scheduler.current
  if outer then
    come_back() -- who leads may not have others wait in its thread
  end
  scheduler.current = task
  task.state = "running"
  return settle(task, outer, raw_resume(task.thread, ...))
end
scheduler.resume = resume


--- The same for a task that may not wait.
local function resume_instant(task, ...)
  local outer = scheduler.current
  if outer then
    come_back()
  end
  scheduler.current = task
  task.state = "instant"
  return settle(task, outer, raw_resume(task.thread, ...))
end
scheduler.resume_instant = resume_instant


--- Run `fn(...)` of `entity` as a task: a handler or a hook. `callback` counts its failures.
function scheduler.run(entity, callback, fn, ...)
  local task = hire(entity)
  task.callback = callback
  return resume(task, task, fn, ...)
end


--- Run `fn(...)` where waiting is not allowed; `what` names it in the error ("update", "finally").
function scheduler.call(entity, what, fn, ...)
  local task = hire(entity)
  task.instant = what
  return resume_instant(task, task, fn, ...)
end


--- The pump is to lead again, if a task does.
function scheduler.rouse()
  local stir = scheduler.stir
  if stir then
    stir()
  end
end


return scheduler
