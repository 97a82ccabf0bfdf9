-- Runs the tasks of one state. A task is a record around a Lua thread; it never leaves this state.
-- Guarantee: a task is resumed by nobody but its scheduler, never after its end, and its clean-ups run exactly once.
--
-- A task suspends by yielding `SUSPEND` and what it waits for: true (the next frame), a time, or nothing (somebody
-- else wakes it). Scripts never get hold of `SUSPEND`, so nothing they yield can be taken for a request.

local prelude = ...
local queue, fault, clock = prelude.queue, prelude.fault, prelude.clock

local scheduler = {
  current = nil, -- the task that runs
  single = nil, -- the only task that sleeps here, if it waits for the next frame
  pending = false, -- other tasks sleep here
  deferrals = 0, -- how many tasks run at the end of this tick
}

local create, raw_resume, raw_yield = coroutine.create, coroutine.resume, coroutine.yield
local raw_status, raw_close, isyieldable = coroutine.status, coroutine.close, coroutine.isyieldable
local error, next, setmetatable, pcall = error, next, setmetatable, pcall
local sort, unpack = table.sort, table.unpack or unpack
local getinfo = debug.getinfo

local SUSPEND, DONE = {}, {}
local POOL = 16 -- idle workers kept per state

local pool, pooled = {}, 0
local upcoming, spare, count = {}, {}, 0 -- tasks that wait for the next frame, in order; some may have ended meanwhile
local deferred = {}
local tasks = setmetatable({}, { __mode = "k" }) -- thread -> task, for threads that scripts know
local taken, left = {}, 0 -- those of this frame, while mail is delivered and while they run
local born = 0

scheduler.SUSPEND = SUSPEND
scheduler.on_thread = nil -- called with every new thread; the limits set it
scheduler.on_failure = nil -- function(task, value, traceback): an error nobody waits for
scheduler.on_pause = nil -- function(task, callback): it failed too often and is not called any more
scheduler.error_limit = nil -- failures in a row after which that happens


local function new_thread(fn)
  local thread = create(fn)
  if scheduler.on_thread then
    scheduler.on_thread(thread)
  end
  return thread
end
scheduler.new_thread = new_thread


-- Counted by birth, so that the tasks of an entity can be cancelled in the order in which they were made.
local function new_task(thread, entity)
  born = born + 1
  return { thread = thread, entity = entity, born = born, state = "new" }
end


--- A task around `thread` that scripts may know; owned by `entity`.
function scheduler.adopt(thread, entity)
  local task = new_task(thread, entity)
  local full = entity:own(task)
  if full then
    error("task: " .. full, 4)
  end
  task.exposed = true
  tasks[thread] = task
  return task
end


--- The task of `thread`, or nil for a thread that is none.
function scheduler.task_of(thread)
  return tasks[thread]
end


-- Body of a worker: runs one function after the other, so that a handler that does not wait costs no new thread.
local function work(task, fn, ...)
  fn(...)
  if task.exposed then
    return
  end
  return work(raw_yield(DONE))
end


local function hire(entity)
  if pooled > 0 then
    local task = pool[pooled]
    pool[pooled] = nil
    pooled = pooled - 1
    task.entity, task.state = entity, "new"
    return task
  end
  return new_task(new_thread(work), entity)
end


local function run_cleanups(task)
  local list = task.cleanups
  task.cleanups = nil
  for i = #list, 1, -1 do
    scheduler.call(task.entity, "finally", list[i])
  end
end


-- Everything that ends a task comes through here, once.
local function finish(task, ok, ...)
  if task.state == "done" then
    return
  end
  task.state = "done"
  if task.list then
    queue.remove(task)
  end
  if task.listed then
    task.entity:disown(task)
  end
  local abandon = task.abandon
  if abandon then
    task.abandon = nil
    abandon()
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
  local trace = fault.trace(task.thread, value)
  if raw_close then
    pcall(raw_close, task.thread)
  end
  local callback = task.callback
  if not task.on_end or task.reported then
    scheduler.on_failure(task, value, trace)
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
  if not task.exposed and pooled < POOL then
    task.listed, task.instant, task.reported = nil, nil, nil
    pooled = pooled + 1
    pool[pooled] = task
  end
end


local function destroy(task)
  if raw_close then
    pcall(raw_close, task.thread)
  end
  finish(task, false, scheduler.CANCELLED)
end


-- A task that is the only one to sleep here stands in `single`, where the pump looks first; the pump does not keep more
-- than two results of it, so one that somebody waits for goes into the list.
local function next_frame(task)
  task.state = "next"
  if not scheduler.pending then
    if not scheduler.single and not task.on_end then
      scheduler.single = task
      return true
    end
    scheduler.pending = true
  end
  if scheduler.single then
    count, upcoming[1] = 1, scheduler.single
    scheduler.single = nil
  end
  count = count + 1
  upcoming[count] = task
  return true
end


local function sleep_until(task, due)
  scheduler.pending = true
  queue.sleep(task, due)
end


local function sleep(task, request)
  local full = not task.listed and task.entity:own(task)
  if full then
    fail(task, full)
    return false, full
  elseif request == true then
    next_frame(task)
  else
    task.state = "waiting"
    if request then
      sleep_until(task, request)
    end
  end
  return true
end


-- What happened when `task` last ran: it waits, ended, failed, or yielded a value of its own.
local function settle(task, outer, ...)
  scheduler.current = outer
  local ok, token, request = ...
  if token == SUSPEND and ok then
    if task.state == "running" then
      if request == true and task.listed then
        return next_frame(task)
      end
      return sleep(task, request)
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
  elseif task.state == "cancelled" then
    return destroy(task)
  elseif task.instant then
    return fail(task, task.instant .. " yielded; only a task can wait: task.spawn(function() ... end)")
  end
  task.state = "parked"
  return ...
end
scheduler.settle = settle


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


--- Raise why the calling task cannot wait; `level` blames the caller.
function scheduler.refuse(word, level)
  local task = scheduler.current
  if not task then
    error(word .. ": only a task can wait", level + 1)
  elseif task.instant then
    error(word .. ": " .. task.instant .. " cannot wait, it must end within the frame; "
      .. "use task.spawn(function() ... end) for what takes longer", level + 1)
  end
  error(word .. ": cannot wait inside " .. fault.in_the_way() .. ", which is a C function; "
    .. "wait before or after the call", level + 1)
end


--- Suspend the calling task for `request`; what it is resumed with comes back. `level` blames the caller.
function scheduler.suspend(word, level, request)
  local task = scheduler.current
  if not task or task.instant or not isyieldable() then
    scheduler.refuse(word, level + 1)
  end
  return raw_yield(SUSPEND, request)
end


-- Takes a task out of those that wait for the next frame.
local function unlist(task)
  if scheduler.single == task then
    scheduler.single = nil
  end
  for i = left, 1, -1 do
    if taken[i] == task then
      taken[i] = false
      return
    end
  end
  for i = count, 1, -1 do
    if upcoming[i] == task then
      upcoming[i] = false
      return
    end
  end
end


-- Makes a waiting task one that waits for nothing.
local function rouse(task)
  if task.list then
    queue.remove(task)
  elseif task.state == "next" then
    unlist(task)
  end
  task.abandon = nil
end
scheduler.rouse = rouse


--- Wake a suspended task now, wherever it sleeps; a task that has ended stays ended.
function scheduler.wake(task, ...)
  if task.state == "waiting" or task.state == "next" then
    rouse(task)
    return resume(task, ...)
  end
end


--- Start or go on with `task` now; arguments that were set aside come first.
function scheduler.start(task, ...)
  rouse(task)
  local args = task.args
  if args then
    task.args = nil
    return resume(task, unpack(args, 1, args.n))
  end
  return resume(task, ...)
end


--- Run `task` at the end of this tick.
function scheduler.defer(task)
  local n = scheduler.deferrals + 1
  scheduler.deferrals = n
  deferred[n] = task
  task.deferred = n
end


--- Run everything that was deferred, also what that defers.
function scheduler.run_deferred()
  local i = 1
  while i <= scheduler.deferrals do
    local task = deferred[i]
    deferred[i] = nil
    if task and task.deferred == i then
      task.deferred = nil
      scheduler.start(task)
    end
    i = i + 1
  end
  scheduler.deferrals = 0
end


-- A started task goes on with nothing; one that was set aside starts with its arguments.
local function run_next(task)
  if task.state == "next" then
    if task.args then
      task.state = "new"
      return scheduler.start(task)
    end
    return resume(task)
  end
end


--- Set aside what waits for this frame, before mail makes more tasks wait for the next.
function scheduler.take_upcoming()
  if scheduler.single then
    count, upcoming[1] = 1, scheduler.single
    scheduler.single = nil
  end
  if count > 0 then
    taken, left = upcoming, count
    upcoming, spare, count = spare, upcoming, 0
    scheduler.pending = true
  end
end


local function run_taken()
  local list, n = taken, left
  for i = 1, n do
    local task = list[i]
    list[i] = nil
    if task then
      run_next(task)
    end
  end
  left = 0
end


--- Run what is due: first the waits for this frame, then the timers, in the order of their wake times.
function scheduler.run_due()
  if left == 0 then
    scheduler.take_upcoming()
  end
  run_taken()
  local now = clock.now
  local task = queue.take_due(now)
  while task do
    scheduler.start(task)
    task = queue.take_due(now)
  end
  scheduler.pending = count > 0 or queue.wake() ~= false
end


--- When the first sleeper wakes: true for the next frame, a time, or false for never.
function scheduler.wake_time()
  return (scheduler.single or count > 0) and true or queue.wake()
end


--- Let `task` run in the next frame, or at `due`.
scheduler.next_frame = next_frame
scheduler.sleep_until = sleep_until


--- End `task` now, or where it next waits if it is running. Ended tasks stay as they are.
function scheduler.cancel(task)
  if task.state == "done" then
    return
  elseif task.state == "running" or task.state == "instant" or task.state == "cancelled" then
    task.state = "cancelled"
    if task == scheduler.current and isyieldable() then
      raw_yield(SUSPEND)
    end
    return
  end
  if task.deferred then
    deferred[task.deferred], task.deferred = false, nil
  end
  destroy(task)
end


--- Add `fn` to what runs when the calling task ends, last added first.
function scheduler.finally(fn)
  local task = scheduler.current
  local list = task.cleanups
  if not list then
    list = {}
    task.cleanups = list
  end
  list[#list + 1] = fn
end


--- Note on `task` where it was made: `level` counts from the caller.
function scheduler.remember(task, level)
  local info = getinfo(level + 1, "fl")
  if info then
    task.maker, task.made_at = info.func, info.currentline
  end
end


--- Scripts got to know this thread: it must not be used again for something else.
function scheduler.expose(task)
  if not task.exposed then
    task.exposed = true
    tasks[task.thread] = task
  end
end


--- End every task of `entity`, oldest first.
function scheduler.cancel_all(entity)
  local list = {}
  for task in next, entity.tasks do
    list[#list + 1] = task
  end
  sort(list, function(a, b) return a.born < b.born end)
  for i = 1, #list do
    scheduler.cancel(list[i])
  end
end


scheduler.CANCELLED = setmetatable({}, { __tostring = function() return "the task was cancelled" end })


return scheduler
