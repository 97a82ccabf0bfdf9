-- The waits of a task: for seconds, for frames, for something to be true.
-- Guarantee: a wait resumes in the first frame whose time has come, never earlier, and never in the frame it began in.

local prelude = ...
local suspension, clock, fault, records = prelude.later("suspension"), prelude.clock, prelude.later("fault"), prelude.records

local error, type, tostring = error, type, tostring
local format, floor, huge = string.format, math.floor, math.huge
local raw_yield, isyieldable = coroutine.yield, coroutine.isyieldable
local SUSPEND = records.SUSPEND

local wait = {}


local function shown(value)
  local kind = type(value)
  if kind == "number" or kind == "nil" then
    return tostring(value)
  end
  return kind == "string" and format("%q", value) or "a " .. kind
end


local function check_seconds(word, value, level)
  if type(value) ~= "number" or not (value >= 0 and value < huge) then
    error(format("%s: seconds must be a number >= 0, got %s", word, shown(value)), level + 1)
  end
end
wait.check_seconds = check_seconds


local function check_function(word, value, level)
  if not fault.callable(value) then
    error(format("%s: expected a function, got %s", word, value == nil and "nil" or "a " .. type(value)), level + 1)
  end
end
wait.check_function = check_function


--- What `suspend` understands: the next frame, or the time at which `seconds` from now have passed.
local function request_of(seconds)
  local due = clock.now + seconds
  return due > clock.now and due or true
end
wait.request_of = request_of


--- Suspend the calling task for `seconds`; returns the seconds that really passed. One that may not wait is refused by the
-- scheduler, so that nothing is looked up here.
function wait.wait(seconds)
  local request = true
  if seconds ~= nil and seconds ~= 0 then
    check_seconds("wait", seconds, 2)
    request = request_of(seconds)
  end
  if not isyieldable() then
    suspension.check_can_wait("wait", 2)
  end
  local started = clock.now
  local refused, obstacle = raw_yield(SUSPEND, request)
  if refused then
    suspension.refuse("wait", 2, obstacle)
  end
  return clock.now - started
end


--- Suspend the calling task for `n` frames; returns the seconds that passed.
function wait.wait_frames(n)
  if type(n) ~= "number" or n < 1 or n ~= floor(n) or n == huge then
    error("task.wait_frames: expected a whole number >= 1, got " .. shown(n), 2)
  end
  local started = clock.now
  for _ = 1, n do
    suspension.suspend("task.wait_frames", 2, true)
  end
  return clock.now - started
end


--- Suspend until `predicate()` is true, asked once per frame; false when `timeout` seconds passed first.
function wait.wait_until(predicate, timeout)
  check_function("task.wait_until", predicate, 2)
  if timeout ~= nil then
    check_seconds("task.wait_until", timeout, 2)
  end
  suspension.check_can_wait("task.wait_until", 2)
  local deadline = timeout and clock.now + timeout or huge
  while not predicate() do
    if clock.now >= deadline then
      return false
    end
    suspension.suspend("task.wait_until", 2, true)
  end
  return true
end


return wait
