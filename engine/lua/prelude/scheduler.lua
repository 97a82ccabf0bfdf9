-- Runs the tasks of one state. A task is a record around a Lua thread; it never leaves this state.
-- Guarantee: a task is resumed by nobody but its scheduler, never after its end, and its clean-ups run exactly once.
--
-- A task suspends by yielding `SUSPEND` and what it waits for: true (the next frame), a time, or nothing (somebody
-- else wakes it). Scripts never get hold of `SUSPEND`, so nothing they yield can be taken for a request.
--
-- States of a task: "new", "running", "instant" (runs and may not wait), "cancelled" (runs until it next waits),
-- "next" (waits for the next frame), "waiting", "parked" (yielded by itself), "done".

local prelude = ...
local turns, fault, records, endings = prelude.turns, prelude.later("fault"), prelude.records, prelude.endings
local budget = prelude.budget

local scheduler = turns

local raw_resume, raw_yield = coroutine.resume, coroutine.yield
local raw_status, isyieldable = coroutine.status, coroutine.isyieldable
local error, next, select = error, next, select
local sort, unpack = table.sort, table.unpack or unpack
local hire, own, next_frame, mark = records.hire, records.own, turns.next_frame, turns.mark
local finish, fail, retire, destroy = endings.finish, endings.fail, endings.retire, endings.destroy

local SUSPEND, REFUSED, DONE = records.SUSPEND, records.REFUSED, records.DONE
local MANY, STOP = 100, 200 -- tasks that are ended at once, and the instructions that each of more counts
local LAST_ROUNDS = 8 -- of cancelling, when clean-ups of a dying entity start new tasks

scheduler.SUSPEND = SUSPEND


-- Makes the entity answer for a task that does not end at once. Returns true, or false and why it may not live on.
local function keep(task)
  local full = not task.listed and own(task)
  if full then
    fail(task, full)
    return false, full
  end
  return true
end


local function sleep(task, request)
  local kept, full = keep(task)
  if not kept then
    return false, full
  elseif request == true then
    return next_frame(task)
  end
  task.state = "waiting"
  if request then
    turns.sleep_until(task, request)
  end
  return true
end


-- A thread that yielded by itself goes on when a script resumes it.
local function park(task, ...)
  if task.state == "cancelled" then
    return destroy(task)
  elseif task.instant then
    return fail(task, task.instant .. " yielded; only a task can wait: task.spawn(function() ... end)")
  end
  local kept, full = keep(task)
  if not kept then
    return false, full
  end
  task.state = "parked"
  return ...
end


-- What happened when `task` last ran: it waits, ended, failed, or yielded a value of its own.
local function settle(task, outer, ...)
  scheduler.current = outer
  if scheduler.ran then
    mark(task.entity)
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
    return destroy(task)
  elseif not ok then
    fail(task, token)
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
  return park(task, ...)
end
scheduler.settle = settle


--- Resume threads with `fn` from here on, as a trace does.
function scheduler.resume_with(fn)
  raw_resume, scheduler.raw_resume = fn, fn
end


--- Resume `task` now with these values. Returns what `coroutine.resume` would: true and its own values, or the error.
local function resume(task, ...)
  local outer = scheduler.current
  scheduler.current = task
  task.state = "running"
  return settle(task, outer, raw_resume(task.thread, ...))
end
scheduler.resume = resume


-- The same for a task that may not wait.
local function resume_instant(task, ...)
  local outer = scheduler.current
  scheduler.current = task
  task.state = "instant"
  return settle(task, outer, raw_resume(task.thread, ...))
end


--- Run `fn(...)` of `entity` as a task: a handler or a hook. `callback` counts its failures.
function scheduler.run(entity, callback, fn, ...)
  local task = hire(entity)
  task.callback = callback
  return resume(task, task, fn, ...)
end


--- The same, and tell `on_end(ok, problem)` when it has ended; failures are reported all the same.
function scheduler.run_watched(entity, callback, on_end, fn, ...)
  local task = hire(entity)
  task.callback, task.on_end, task.reported = callback, on_end, true
  return resume(task, task, fn, ...)
end


--- Run `fn(...)` where waiting is not allowed; `what` names it in the error ("update", "finally").
function scheduler.call(entity, what, fn, ...)
  local task = hire(entity)
  task.instant = what
  return resume_instant(task, task, fn, ...)
end


--- The same, and tell `on_end(ok, problem, traceback)` instead of reporting a failure.
function scheduler.call_watched(entity, what, on_end, fn, ...)
  local task = hire(entity)
  task.instant, task.on_end = what, on_end
  return resume_instant(task, task, fn, ...)
end


--- The same for a hook whose failures count.
function scheduler.call_hook(entity, hook, ...)
  local task = hire(entity)
  task.instant, task.callback = hook.name, hook
  return resume_instant(task, task, hook.fn, ...)
end


--- Keep what `task` is to be resumed with when its turn comes.
function scheduler.set_aside(task, ...)
  task.args = { n = select("#", ...), ... }
end


--- A task of `entity` for `fn(...)`, not started, and not known to scripts. `level` blames the caller for one too many.
function scheduler.prepare(entity, level, fn, ...)
  local task = hire(entity)
  local full = own(task)
  if full then
    records.release(task)
    error("task: " .. full, level + 1)
  end
  scheduler.set_aside(task, task, fn, ...)
  return task
end


--- An error at the caller's line unless the calling task may suspend.
function scheduler.check_can_wait(word, level)
  local task = scheduler.current
  if not task then
    error(word .. ": only a task can wait", level + 1)
  elseif task.instant then
    error(word .. ": " .. task.instant .. " cannot wait, it must end within the frame; "
      .. "use task.spawn(function() ... end) for what takes longer", level + 1)
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
  if not task or task.state ~= "running" or not isyieldable() then
    give_up(task)
    scheduler.check_can_wait(word, level + 1)
  end
  local first, second = raw_yield(SUSPEND, request)
  if first == REFUSED then
    give_up(task)
    scheduler.refuse(word, level + 1, second)
  end
  return first, second
end


--- Wake a suspended task now, wherever it sleeps; a task that has ended stays ended.
function scheduler.wake(task, ...)
  if task.state == "waiting" or task.state == "next" then
    turns.take_out(task)
    task.abandon = nil
    return resume(task, ...)
  end
end


--- The same at the end of this tick: for what is noticed where no other task may run.
function scheduler.wake_later(task, ...)
  if task.state == "waiting" and not task.deferred then
    turns.take_out(task)
    scheduler.set_aside(task, ...)
    turns.defer(task)
  end
end


--- Start or go on with `task` now, with these values, else with those that were set aside for it.
local function start(task, ...)
  turns.take_out(task)
  task.abandon = nil
  local args = task.args
  if args then
    task.args = nil
    if select("#", ...) == 0 then
      return resume(task, unpack(args, 1, args.n))
    end
  end
  return resume(task, ...)
end
scheduler.start = start


--- End `task` now, or where it next waits if it is running. Ended tasks stay as they are.
function scheduler.stop(task)
  local stir = scheduler.stir
  if stir then
    stir()
  end
  local state = task.state
  if state == "running" or state == "instant" then
    task.state = "cancelled"
  elseif state ~= "done" and state ~= "cancelled" then
    destroy(task)
  end
end


local function stop_list(numbers, tasks)
  for i = 1, #numbers do
    scheduler.stop(tasks[numbers[i]])
  end
end


--- End every task that is a key of `set`, oldest first.
function scheduler.stop_each(set)
  local numbers, tasks = {}, {}
  for task in next, set do
    local number = task.number
    numbers[#numbers + 1], tasks[number] = number, task
  end
  sort(numbers)
  if budget.active and #numbers > MANY then
    budget.trust(#numbers * STOP, stop_list, numbers, tasks)
  else
    stop_list(numbers, tasks)
  end
end


--- End the calling task here, if it has been stopped while it ran.
function scheduler.heed()
  local me = scheduler.current
  if me and me.state == "cancelled" and isyieldable() then
    raw_yield(SUSPEND)
  end
end


--- End every task of a dying entity; what their clean-ups start ends too.
function scheduler.cancel_all(entity)
  for _ = 1, LAST_ROUNDS do
    if not next(entity.tasks) then
      return
    end
    scheduler.stop_each(entity.tasks)
  end
  entity.ending = true
  scheduler.stop_each(entity.tasks)
end


--- Add `fn` to what runs when the calling task ends, last added first.
function scheduler.finally(fn)
  local task = scheduler.current
  if task.instant == "finally" then
    error("task.finally: a clean-up cannot leave another one behind; do it in this one", 3)
  end
  local list = task.cleanups
  if not list then
    local stir = scheduler.stir
    if stir then
      stir()
    end
    list = {}
    task.cleanups, task.marked = list, true
  end
  list[#list + 1] = fn
end


return scheduler
