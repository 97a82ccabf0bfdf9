-- `wait`; what it needs but in the tick of a task that leads stands in `waiting`.
-- Guarantee: a wait resumes in the first frame whose time has come, never earlier, and never in the frame it began in.

local prelude = ...
local clock = prelude.clock

local select, tonumber, raw_yield, isyieldable = select, tonumber, coroutine.yield, coroutine.isyieldable

-- What a task yields that waits: a function that no script has. A table could be compared by a script, whose `__eq` would be
-- given it.
local SUSPEND = debug.sethook

local wait = { SUSPEND = SUSPEND }

local self = nil -- of the entity whose task leads, as `body.lua` says; false while such a task is to come back to the pump


--- Suspend the calling task for `seconds`; returns the seconds that really passed. Until the next frame it does so here, and
-- looks nothing up. The limits count each instruction.
function wait.wait(seconds)
  local me = self -- the limits may say at any instruction that it leads no more
  if me and (seconds == nil or seconds == 0) and isyieldable() then
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
      elseif now then
        prelude.waiting.take(now, dt, frame, phase)
      end
      return clock.now - started
    end
  end
  if me == nil and (seconds == nil or seconds == 0) and isyieldable() then
    local started = clock.now
    local now, dt, frame, phase = raw_yield(SUSPEND, true)
    if now then
      prelude.waiting.take(now, dt, frame, phase)
    end
    return clock.now - started
  end
  return prelude.waiting.wait(seconds, me)
end


--- The `self` of the entity whose task leads, nil, or false while that is to come back; with a value it is that from here on.
function wait.lead(...)
  if select("#", ...) > 0 then
    self = ...
  end
  return self
end


return wait
