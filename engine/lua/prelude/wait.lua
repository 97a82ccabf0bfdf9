-- `wait`; what fewer scripts wait for stands in `pauses`.
-- Guarantee: a wait resumes in the first frame whose time has come, never earlier, and never in the frame it began in.

local prelude = ...
local suspension, checks, clock = prelude.later("suspension"), prelude.later("checks"), prelude.clock

local type, tonumber, huge = type, tonumber, math.huge
local raw_yield, isyieldable = coroutine.yield, coroutine.isyieldable

-- What a task yields that waits. A function, as a table could be compared by a script, whose `__eq` would be given it.
local function SUSPEND()
end

local wait = { SUSPEND = SUSPEND }

local self = nil -- of the entity whose task leads, as `body.lua` says; false while such a task is to come back to the pump

local check, request_of, refuse, come_back, take_turn, take, stay -- below: what no tick of a task that leads calls


--- Suspend the calling task for `seconds`; returns the seconds that really passed. One that may not wait is refused by the
-- scheduler, so that nothing is looked up here. What a task that leads needs in every tick comes first, and is made first:
-- so it lies together, as in a thousand states all is cold. The limits count each instruction.
function wait.wait(seconds)
  local me = self -- the limits may say at any instruction that it leads no more
  if me and isyieldable() and (seconds == nil or seconds == 0) then
    local clock = clock -- luacheck: ignore 431
    local started, x, y = clock.now, me.x, me.y
    -- Where each is a number, NaN too; `type` would look at strings, which are cold.
    if (tonumber(x or 0) == x or x ~= x) and (tonumber(y or 0) == y or y ~= y) then
      local now, dt, frame, phase = raw_yield(x, y)
      if self then -- Python sends such a task no phase in which there is mail only
        clock.now = now
        clock.dt = dt
        clock.frame = frame
        return now - started
      end
      take_turn(now, dt, frame, phase)
      return clock.now - started
    end
    return stay(started)
  end
  if not isyieldable() then
    refuse()
  end
  local request = true
  if seconds ~= nil and seconds ~= 0 then
    check(seconds)
    request = request_of(seconds)
  end
  if me ~= nil then
    come_back()
  end
  local clock = clock -- luacheck: ignore 431
  local started = clock.now
  local now, dt, frame, phase = raw_yield(SUSPEND, request)
  if now then
    take(now, dt, frame, phase)
  end
  return clock.now - started
end


--- What `suspend` understands: the next frame, or the time at which `seconds` from now have passed.
function request_of(seconds)
  local due = clock.now + seconds
  return due > clock.now and due or true
end
wait.request_of = request_of


function check(seconds)
  if type(seconds) ~= "number" or not (seconds >= 0 and seconds < huge) then
    checks.check_seconds("wait", seconds, 3)
  end
end


function refuse(obstacle)
  suspension.refuse("wait", 3, obstacle)
end


--- Have the task of the entity with this `self` lead.
function wait.follow(value)
  self = value
end


--- Have the pump lead again where the calling task leads, and is to wait for more than the next frame. True where it cannot
-- come back yet.
function come_back(request)
  if self == false or self and request ~= true then
    prelude.scheduler.stir()
  end
  return self == false
end
wait.come_back = come_back


-- A task that led, or came to lead, was resumed: by Python, which is to ask the pump where that leads or there is mail only,
-- or by the pump, with nothing.
function take_turn(now, dt, frame, phase)
  if self and phase >= 0 then
    clock.now, clock.dt, clock.frame = now, dt, frame
  elseif phase then
    raw_yield()
  end
end


-- A wait was ended by more than its time: it is refused, or the task has come to lead. Tail calls: the caller is blamed.
function take(now, dt, frame, phase)
  if not phase then
    return refuse(dt)
  end
  return take_turn(now, dt, frame, phase)
end


-- The end of a tick of a task that leads, whose entity is nowhere.
function stay(started)
  take_turn(raw_yield(true))
  return clock.now - started
end


--- Suspend the calling task, which does not lead, until the next frame; gives what it is resumed with in place of its turn.
-- Until then it may come to lead.
function wait.doze()
  come_back()
  local now, dt, frame, phase = raw_yield(SUSPEND, true)
  if phase then
    take_turn(now, dt, frame, phase)
    return
  end
  return now, dt
end


return wait
