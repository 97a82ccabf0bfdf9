-- The waits that fewer scripts need: for so many frames, for something to be true.

local prelude = ...
local suspension, checks, clock = prelude.suspension, prelude.checks, prelude.clock

local error, type, floor, huge = error, type, math.floor, math.huge

local pauses = {}


--- Suspend the calling task for `n` frames; returns the seconds that passed.
function pauses.wait_frames(n)
  if type(n) ~= "number" or n < 1 or n ~= floor(n) or n == huge then
    error("task.wait_frames: expected a whole number >= 1, got " .. checks.shown(n), 2)
  end
  local started = clock.now
  for _ = 1, n do
    suspension.suspend("task.wait_frames", 2, true)
  end
  return clock.now - started
end


--- Suspend until `predicate()` is true, asked once per frame; false when `timeout` seconds passed first.
function pauses.wait_until(predicate, timeout)
  checks.check_function("task.wait_until", predicate, 2)
  if timeout ~= nil then
    checks.check_seconds("task.wait_until", timeout, 2)
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


return pauses
