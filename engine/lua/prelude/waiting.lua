-- What `wait` needs but in the tick of a task that leads, and others that wait, too; what fewer scripts wait for stands in
-- `pauses`.

local prelude = ...
local suspension, checks = prelude.later("suspension"), prelude.later("checks")
local clock, lead, SUSPEND = prelude.clock, prelude.wait.lead, prelude.wait.SUSPEND

local type, huge, raw_yield, isyieldable = type, math.huge, coroutine.yield, coroutine.isyieldable

local waiting = {}


--- What `suspend` understands: the next frame, or the time at which `seconds` from now have passed.
local function request_of(seconds)
  local due = clock.now + seconds
  return due > clock.now and due or true
end
waiting.request_of = request_of


local function refuse(obstacle)
  suspension.refuse("wait", 3, obstacle)
end


--- Have the pump lead again where the calling task leads, and is to wait for more than the next frame. True where it cannot
-- come back yet.
local function come_back(request)
  local self = lead()
  if self == false or self and request ~= true then
    prelude.scheduler.stir()
  end
  return lead() == false
end
waiting.come_back = come_back


-- A task that led, or came to lead, was resumed: by Python, which is to ask the pump where that leads or there is mail only,
-- or by the pump, with nothing.
local function take_turn(now, dt, frame, phase)
  if lead() and phase >= 0 then
    clock.now, clock.dt, clock.frame = now, dt, frame
  elseif phase then
    raw_yield()
  end
end


-- A wait was ended by more than its time: it is refused, or the task has come to lead. Tail calls: the caller is blamed.
function waiting.take(now, dt, frame, phase)
  if not phase then
    return refuse(dt)
  end
  return take_turn(now, dt, frame, phase)
end


--- What `wait` does but until the next frame; `me` is what `lead` gave. Who may not wait is refused by the scheduler, too.
function waiting.wait(seconds, me)
  if not isyieldable() then
    refuse()
  end
  local started, request = clock.now, true
  if me and (seconds == nil or seconds == 0) then -- the tick of a task that leads, whose entity is nowhere
    take_turn(raw_yield(true))
    return clock.now - started
  elseif seconds ~= nil and seconds ~= 0 then
    if type(seconds) ~= "number" or not (seconds >= 0 and seconds < huge) then
      checks.check_seconds("wait", seconds, 2)
    end
    local due = started + seconds
    request = due > started and due or true
  end
  if me ~= nil then
    come_back()
  end
  local now, dt, frame, phase = raw_yield(SUSPEND, request)
  if now then
    waiting.take(now, dt, frame, phase)
  end
  return clock.now - started
end


--- Suspend the calling task, which does not lead, until the next frame; gives what it is resumed with in place of its turn.
-- Until then it may come to lead.
function waiting.doze()
  come_back()
  local now, dt, frame, phase = raw_yield(SUSPEND, true)
  if phase then
    take_turn(now, dt, frame, phase)
    return
  end
  return now, dt
end


return waiting
