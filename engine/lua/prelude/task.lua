-- The `task` library that scripts call: starting, scheduling and ending tasks.
-- Guarantee: spawn runs now, defer later in this frame, delay never inline; each returns the Lua thread.

local prelude = ...
local scheduler, turns, clock = prelude.scheduler, prelude.turns, prelude.clock
local suspension, stops, several = prelude.later("suspension"), prelude.later("stops"), prelude.later("several")
local fault, records, coroutines = prelude.fault, prelude.records, prelude.coroutines
local check_seconds, check_function = prelude.checks.check_seconds, prelude.checks.check_function
local request_of = prelude.waiting.request_of

local error, type, xpcall, next = error, type, xpcall, next
local format, floor, huge = string.format, math.floor, math.huge
local traceback = debug.traceback
local exposed = prelude.exposed
local task_of, adopt, remember = exposed.task_of, exposed.adopt, exposed.remember

local task = {}

local SHOWN = { next = "waiting", instant = "running", cancelled = "running" } -- states that scripts know by another name


--- `fn` as a function: an object that can be called is wrapped in one.
function task.function_of(fn)
  if type(fn) == "table" then
    local object = fn
    return function(...)
      return object(...)
    end
  end
  return fn
end


-- A new task for a function, owned by the calling entity.
local function task_for(word, fn, level)
  check_function(word, fn, level + 1)
  local made = adopt(records.new_thread(task.function_of(fn)), scheduler.current.entity, level + 1)
  remember(made, level + 1)
  return made
end


-- The task of a thread that can be resumed now; one that was none becomes a task.
local function resumable(word, thread, level)
  local known, reason = task_of(thread), coroutines.obstacle(thread)
  if reason then
    error(format("%s: %s", word, reason), level + 1)
  end
  return known or adopt(thread, scheduler.current.entity, level + 1)
end


--- Run `fn(...)`, or go on with a thread, now until it first suspends.
function task.spawn(fn, ...)
  local made
  if type(fn) == "thread" then
    made = resumable("task.spawn", fn, 2)
  else
    made = task_for("task.spawn", fn, 2)
  end
  several.start(made, ...)
  return made.thread
end


-- Body of a task that goes on with another: one that has ended meanwhile is left alone.
local function go_on(word, thread, ...)
  local known = task_of(thread)
  if known and known.returns then
    known.returns[scheduler.current] = nil
  end
  if coroutines.status(thread) ~= "dead" then
    several.start(resumable(word, thread, 0), ...)
  end
end


-- A task, not started, for a function; or one that goes on with a thread when its turn comes. A thread may have
-- several such returns before it, and they end with it.
local function task_to_come(word, fn, ...)
  local made
  if type(fn) ~= "thread" then
    made = task_for(word, fn, 3)
    suspension.set_aside(made, ...)
    return made, made.thread
  elseif coroutines.status(fn) == "dead" then
    error(word .. ": cannot resume dead coroutine", 3)
  end
  local known = task_of(fn) or not coroutines.obstacle(fn) and adopt(fn, scheduler.current.entity, 3)
  made = suspension.prepare(scheduler.current.entity, 3, go_on, word, fn, ...)
  remember(made, 3)
  if known then
    known.returns = known.returns or {}
    known.returns[made] = true
  end
  return made, fn
end


--- Run `fn(...)`, or go on with a thread, later in this frame.
function task.defer(fn, ...)
  local made, thread = task_to_come("task.defer", fn, ...)
  prelude.deferral.defer(made)
  return thread
end


--- Run `fn(...)`, or go on with a thread, in the first frame in which `seconds` have passed, never in this one.
function task.delay(seconds, fn, ...)
  check_seconds("task.delay", seconds, 2)
  local made, thread = task_to_come("task.delay", fn, ...)
  local request = request_of(seconds)
  if request == true then
    turns.next_frame(made)
  else
    several.sleep_until(made, request)
  end
  return thread
end


-- Counts the failures of `every`'s callback; true when it has failed too often.
local function count_failure(me, failures, problem)
  prelude.failures.on_failure(me, problem.value, problem.trace, "task.every")
  if prelude.failures.gives_up(failures) then
    prelude.failures.on_pause(me, { name = "task.every at " .. (exposed.origin(me) or "?"), failures = failures })
    return true
  end
  return false
end


-- The first point of the schedule after `now`: its number and time. Points missed as a whole are skipped; one that is too
-- near for the clock to tell it from `now` is the next frame.
local function next_point(start, seconds, k, now)
  local due = start + k * seconds
  if due <= now and seconds > 0 then
    k = floor((now - start) / seconds) + 1
    due = start + k * seconds
    if due <= now then -- rounding may lose one
      k = k + 1
      due = start + k * seconds
    end
  end
  return k, due < huge and due or now
end


-- Calls `fn` at start + k * seconds.
local function repeat_every(seconds, fn)
  local me = scheduler.current
  local start, failures = me.since, 0
  local k, due = next_point(start, seconds, 1, start)
  local function traced(value)
    local text = fault.locate(me.thread, value)
    return { value = text, trace = traceback(text, 2) }
  end
  while true do
    while clock.now < due do
      suspension.suspend("task.every", 1, due)
    end
    local ok, result = xpcall(fn, traced, seconds > 0 and clock.now - due or 0)
    if not ok then
      prelude.overruns.pass()
    end
    failures = ok and 0 or failures + 1
    if ok and result == false or not ok and count_failure(me, failures, result) then
      return
    end
    k, due = next_point(start, seconds, k + 1, clock.now)
    if due <= clock.now then
      suspension.suspend("task.every", 1, true)
    end
  end
end


--- Have a task of `every` wait for the first time from now on. Its thread is not run for that.
function task.begin(made, seconds)
  local now = clock.now
  local _, due = next_point(now, seconds, 1, now)
  made.since, made.state = now, "waiting"
  if due > now then
    several.sleep_until(made, due)
  else
    turns.next_frame(made)
  end
end


--- Call `fn(lateness)` every `seconds` until it returns false; returns the thread, to cancel it.
function task.every(seconds, fn)
  check_seconds("task.every", seconds, 2)
  check_function("task.every", fn, 2)
  local thread = records.new_thread(function()
    return repeat_every(seconds, fn)
  end)
  local made = adopt(thread, scheduler.current.entity, 2)
  remember(made, 2)
  local begin = scheduler.put_off or task.begin
  begin(made, seconds)
  return thread
end


--- End the task of `thread`, or a coroutine; cancelling twice, or after its end, does nothing.
function task.cancel(thread)
  if type(thread) ~= "thread" then
    error("task.cancel: expected the thread of a task, got " .. (thread == nil and "nil" or "a " .. type(thread)), 2)
  end
  local known = task_of(thread)
  if known then
    stops.stop(known)
    stops.heed()
  else
    coroutines.abort(thread)
  end
end


--- Run `fn` when the calling task ends: done, failed or cancelled.
function task.finally(fn)
  check_function("task.finally", fn, 2)
  stops.finally(fn)
end


--- The thread of the calling task, also from inside a coroutine of the script's own.
function task.current()
  local me = scheduler.current
  exposed.expose(me)
  return me.thread
end


--- "new", "running", "waiting", "parked" (it yielded by itself) or "done"; nil for a thread that is no task.
function task.status(thread)
  local known, stir = type(thread) == "thread" and task_of(thread), scheduler.stir
  if stir then
    stir()
  end
  return known and (SHOWN[known.state] or known.state) or nil
end




function task.library()
  local made = prelude.files.on_first_call("group", { "group", "all", "race" })
  for _, word in next, { "spawn", "defer", "delay", "cancel", "every", "finally", "current", "status" } do
    made[word] = task[word]
  end
  for word, fn in next, prelude.files.on_first_call("pauses", { "wait_frames", "wait_until" }) do
    made[word] = fn
  end
  made.wait = prelude.wait.wait
  made.wait_event = prelude.files.on_first_call("awaiting", { "wait_event" }).wait_event
  return made
end


return task
