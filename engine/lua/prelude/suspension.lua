-- What the engine's own functions do with tasks that wait for something: suspend them, wake them, refuse a wait.
-- Guarantee: a wait that is refused blames the script's line and leaves nobody who would wake the task later.

local prelude = ...
local records, fault, several = prelude.records, prelude.later("fault"), prelude.later("several")

-- The scheduler is this table too, with more in it.
local scheduler = prelude.scheduler

local raw_yield, isyieldable = coroutine.yield, coroutine.isyieldable
local error, select = error, select
local hire = records.hire
local resume, resume_instant = scheduler.resume, scheduler.resume_instant
local SUSPEND, REFUSED = records.SUSPEND, records.REFUSED
local doze, come_back = prelude.waiting.doze, prelude.waiting.come_back

local GOING = "as its entity and all tasks of it go now; let another entity do what takes longer"


--- An error at the caller's line unless the calling task may suspend.
function scheduler.check_can_wait(word, level)
  local task = scheduler.current
  if not task then
    error(word .. ": only a task can wait", level + 1)
  elseif task.instant then
    local way_out = "it must end within the frame; use task.spawn(function() ... end) for what takes longer"
    error(word .. ": " .. task.instant .. " cannot wait, " .. (task.instant == "final" and GOING or way_out), level + 1)
  elseif not isyieldable() then
    scheduler.refuse(word, level + 1, fault.in_the_way())
  end
end


--- Raise that `obstacle`, a C function, keeps the calling task from waiting; without one, that the task may not wait.
function scheduler.refuse(word, level, obstacle)
  if not obstacle then
    return scheduler.check_can_wait(word, level)
  end
  error(word .. ": cannot wait inside " .. obstacle .. ", which is a C function; wait before or after the call", level + 1)
end


-- What was to wake a task must not do so later, when the wait for it was refused.
local function give_up(task)
  local abandon = task and task.abandon
  if abandon then
    task.abandon = nil
    abandon()
  end
end


--- Suspend the calling task for `request`; the first two values it is resumed with come back. `level` blames the caller.
function scheduler.suspend(word, level, request)
  local task = scheduler.current
  if task and task.state == "next" then
    scheduler.stir()
  end
  come_back(request)
  if not task or task.state ~= "running" or not isyieldable() then
    give_up(task)
    scheduler.check_can_wait(word, level + 1)
  end
  local first, second
  if request == true then
    first, second = doze()
  else
    first, second = raw_yield(SUSPEND, request)
  end
  if first == REFUSED then
    give_up(task)
    scheduler.refuse(word, level + 1, second)
  end
  return first, second
end


--- Wake a suspended task now, wherever it sleeps; a task that has ended stays ended.
function scheduler.wake(task, ...)
  if task.state == "waiting" or task.state == "next" then
    several.take_out(task)
    task.abandon = nil
    return resume(task, ...)
  end
end


--- The same at the end of this tick: for what is noticed where no other task may run.
function scheduler.wake_later(task, ...)
  if task.state == "waiting" and not task.deferred then
    several.take_out(task)
    scheduler.set_aside(task, ...)
    prelude.deferral.defer(task)
  end
end


--- Reads answers for the tasks that wait in `waiting`, by token: token, whether it went well (else the payload says what
-- went wrong), shape, leaves.
function scheduler.answers_for(waiting)
  local decode = prelude.reading.decode
  return function(box, i)
    local token = box[i]
    local value, after = decode(box[i + 2], box, i + 3)
    local task = waiting[token]
    if task then
      waiting[token] = nil
      scheduler.wake(task, box[i + 1], value)
    end
    return after
  end
end


--- Keep what `task` is to be resumed with when its turn comes.
function scheduler.set_aside(task, ...)
  task.args = { n = select("#", ...), ... }
end


--- A task of `entity` for `fn(...)`, not started, and not known to scripts. `level` blames the caller for one too many.
function scheduler.prepare(entity, level, fn, ...)
  come_back() -- the task of who is born counts from its first wait on
  local task = hire(entity)
  local full = entity:own(task)
  if full then
    records.release(task)
    error("task: " .. full, level + 1)
  end
  scheduler.set_aside(task, task, fn, ...)
  return task
end


--- What becomes of a task whose thread yielded by itself: it goes on when a script resumes it.
function scheduler.park(task, ...)
  if task.state == "cancelled" then
    return prelude.stops.destroy(task)
  elseif task.instant then
    return prelude.failures.fail(task, task.instant .. " yielded; only a task can wait: task.spawn(function() ... end)")
  end
  local kept, full = scheduler.keep(task)
  if not kept then
    return false, full
  end
  task.state = "parked"
  return ...
end


--- Run `fn(...)` of `entity` as a task, and tell `on_end(ok, problem)` when it has ended; failures are reported all the same.
function scheduler.run_watched(entity, callback, on_end, fn, ...)
  local task = hire(entity)
  task.callback, task.on_end, task.reported = callback, on_end, true
  return resume(task, task, fn, ...)
end


--- Run `fn(...)` where waiting is not allowed, and tell `on_end(ok, problem, traceback)` instead of reporting a failure.
function scheduler.call_watched(entity, what, on_end, fn, ...)
  local task = hire(entity)
  task.instant, task.on_end = what, on_end
  return resume_instant(task, task, fn, ...)
end


return scheduler
