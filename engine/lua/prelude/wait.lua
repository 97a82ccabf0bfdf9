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


local function check(seconds)
  if type(seconds) ~= "number" or not (seconds >= 0 and seconds < huge) then
    checks.check_seconds("wait", seconds, 3)
  end
end


local function refuse(obstacle)
  suspension.refuse("wait", 3, obstacle)
end


--- Suspend the calling task for `seconds`; returns the seconds that really passed. One that may not wait is refused by the
-- scheduler, so that nothing is looked up here. What is rare stands in functions of its own: a usual wait touches little.
function wait.wait(seconds)
  local request = true
  if seconds ~= nil and seconds ~= 0 then
    check(seconds)
    request = request_of(seconds)
  end
  if not isyieldable() then
    refuse()
  end
  local started = clock.now
  local refused, obstacle = raw_yield(SUSPEND, request)
  if refused then
    refuse(obstacle)
  end
  return clock.now - started
end


return wait
