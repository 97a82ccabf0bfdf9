-- `wait`; what fewer scripts wait for stands in `pauses`.
-- Guarantee: a wait resumes in the first frame whose time has come, never earlier, and never in the frame it began in.

local prelude = ...
local suspension, checks, clock = prelude.later("suspension"), prelude.later("checks"), prelude.clock

local type, huge = type, math.huge
local raw_yield, isyieldable = coroutine.yield, coroutine.isyieldable
local SUSPEND = prelude.records.SUSPEND

local wait = {}


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
    if type(seconds) ~= "number" or not (seconds >= 0 and seconds < huge) then
      checks.check_seconds("wait", seconds, 2)
    end
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


return wait
