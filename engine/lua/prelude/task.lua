-- `wait` and the `task` library that scripts call.
-- Guarantee: spawn runs now, defer later in this frame, delay never inline; each returns the Lua thread it made.

local prelude = ...
local scheduler, clock, fault = prelude.scheduler, prelude.clock, prelude.fault

local error, type, tostring, select, xpcall = error, type, tostring, select, xpcall
local format, floor, huge = string.format, math.floor, math.huge
local raw_status = coroutine.status
local traceback = debug.traceback
local raw_yield, isyieldable = coroutine.yield, coroutine.isyieldable
local suspend, SUSPEND = scheduler.suspend, scheduler.SUSPEND

local task = {}


local function seconds_error(word, value, level)
  error(format("%s: seconds must be a number >= 0, got %s", word,
    type(value) == "number" and tostring(value) or type(value) == "string" and format("%q", value)
    or "a " .. type(value)), level + 1)
end


local function check_seconds(word, value, level)
  if type(value) ~= "number" or not (value >= 0 and value < huge) then
    seconds_error(word, value, level + 1)
  end
end
task.check_seconds = check_seconds


local function check_function(word, value, level)
  if not fault.callable(value) then
    error(format("%s: expected a function, got %s", word, value == nil and "nil" or "a " .. type(value)), level + 1)
  end
end
task.check_function = check_function


-- What `suspend` understands: the next frame, or the time at which `seconds` from now have passed.
local function request_of(seconds)
  local due = clock.now + seconds
  return due > clock.now and due or true
end


--- Suspend the calling task for `seconds`; returns the seconds that really passed.
function task.wait(seconds)
  local request = true
  if seconds and seconds ~= 0 then
    check_seconds("wait", seconds, 2)
    request = request_of(seconds)
  end
  if scheduler.current.state ~= "running" or not isyieldable() then
    scheduler.refuse("wait", 2)
  end
  local started = clock.now
  raw_yield(SUSPEND, request)
  return clock.now - started
end


-- The task for `fn`, a function or a thread that can still be resumed.
local function task_for(word, fn, level)
  if type(fn) == "thread" then
    local known = scheduler.task_of(fn)
    if known and known.state ~= "done" and raw_status(fn) == "suspended" then
      return known
    elseif raw_status(fn) ~= "suspended" then
      error(format("%s: cannot resume a %s coroutine", word, raw_status(fn)), level + 1)
    end
    return scheduler.adopt(fn, scheduler.current.entity)
  end
  check_function(word, fn, level + 1)
  if type(fn) == "table" then
    local object = fn
    fn = function(...)
      return object(...)
    end
  end
  local made = scheduler.adopt(scheduler.new_thread(fn), scheduler.current.entity)
  scheduler.remember(made, level + 1)
  return made
end


local function set_aside(made, ...)
  made.args = { n = select("#", ...), ... }
end


--- Run `fn(...)`, or go on with a thread, now until it first suspends.
function task.spawn(fn, ...)
  local made = task_for("task.spawn", fn, 2)
  scheduler.start(made, ...)
  return made.thread
end


--- Run `fn(...)` later in this frame.
function task.defer(fn, ...)
  local made = task_for("task.defer", fn, 2)
  scheduler.rouse(made)
  set_aside(made, ...)
  scheduler.defer(made)
  return made.thread
end


--- Run `fn(...)` in the first frame in which `seconds` have passed, never in this one.
function task.delay(seconds, fn, ...)
  check_seconds("task.delay", seconds, 2)
  local made = task_for("task.delay", fn, 2)
  scheduler.rouse(made)
  set_aside(made, ...)
  local request = request_of(seconds)
  if request == true then
    scheduler.next_frame(made)
  else
    scheduler.sleep_until(made, request)
  end
  return made.thread
end


-- Calls `fn` at start + k * seconds. A call that comes late is told how late; periods missed as a whole are skipped.
local function repeat_every(seconds, fn)
  local me = scheduler.current
  local start, k = clock.now, 0
  local failures = 0
  local function traced(value)
    return { value = value, trace = traceback(fault.describe(value), 2) }
  end
  while true do
    k = k + 1
    local late = clock.now - (start + k * seconds)
    if seconds > 0 and late >= seconds then
      k = k + floor(late / seconds)
    end
    local due = start + k * seconds
    suspend("task.every", 1, due > clock.now and due or true)
    local ok, result = xpcall(fn, traced, seconds > 0 and clock.now - due or 0)
    if not ok then
      scheduler.on_failure(me, result.value, result.trace)
      failures = failures + 1
      if scheduler.gives_up(failures) then
        return
      end
    elseif result == false then
      return
    else
      failures = 0
    end
  end
end


--- Call `fn(lateness)` every `seconds` until it returns false; returns the thread, to cancel it.
function task.every(seconds, fn)
  check_seconds("task.every", seconds, 2)
  check_function("task.every", fn, 2)
  local made = scheduler.adopt(scheduler.new_thread(repeat_every), scheduler.current.entity)
  scheduler.remember(made, 2)
  scheduler.start(made, seconds, fn)
  return made.thread
end


--- End the task of `thread`; cancelling twice, or after its end, does nothing.
function task.cancel(thread)
  if type(thread) ~= "thread" then
    error("task.cancel: expected the thread of a task, got " .. (thread == nil and "nil" or "a " .. type(thread)), 2)
  end
  local known = scheduler.task_of(thread)
  if known then
    scheduler.cancel(known)
  elseif raw_status(thread) == "suspended" then
    scheduler.cancel(scheduler.adopt(thread, scheduler.current.entity))
  end
end


--- Run `fn` when the calling task ends: done, failed or cancelled.
function task.finally(fn)
  check_function("task.finally", fn, 2)
  scheduler.finally(fn)
end


--- The thread of the calling task, also from inside a coroutine of the script's own.
function task.current()
  local me = scheduler.current
  scheduler.expose(me)
  return me.thread
end


--- "new", "running", "waiting", "parked" (it yielded by itself) or "done"; nil for a thread that is no task.
function task.status(thread)
  local known = type(thread) == "thread" and scheduler.task_of(thread)
  return known and known.state or nil
end


--- Suspend the calling task for `n` frames.
function task.wait_frames(n)
  if type(n) ~= "number" or n < 1 or n ~= floor(n) or n == huge then
    error("task.wait_frames: expected a whole number >= 1, got " .. tostring(n), 2)
  end
  local started = clock.now
  for _ = 1, n do
    suspend("task.wait_frames", 2, true)
  end
  return clock.now - started
end


--- Suspend until `predicate()` is true, asked once per frame; false when `timeout` seconds passed first.
function task.wait_until(predicate, timeout)
  check_function("task.wait_until", predicate, 2)
  if timeout ~= nil then
    check_seconds("task.wait_until", timeout, 2)
  end
  local deadline = timeout and clock.now + timeout or huge
  while not predicate() do
    if clock.now >= deadline then
      return false
    end
    suspend("task.wait_until", 2, true)
  end
  return true
end


return task
