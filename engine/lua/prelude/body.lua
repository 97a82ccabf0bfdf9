-- The body of the pump: ticks without mail, for ever.
--
-- The usual tick is like the one before: the only task waits for the next frame, and its entity, of which the window shows
-- nothing, has moved. As long as that is so the state is calm: what such a tick needs is in locals, and nothing else is
-- written, not even that the task runs. In a thousand states every table and upvalue that a tick touched would be a cold
-- cache line. Whoever does anything else calls `scheduler.stir` first, which is nil while the state is not calm. The limits
-- do so only when they find too much.

local prelude = ...
local scheduler, clock, outbox, budget = prelude.scheduler, prelude.clock, prelude.outbox, prelude.budget
local entity, pump, look = prelude.entity, prelude.pump, prelude.screen.look
local watch, steady = prelude.later("watch"), prelude.later("steady")

local raw_resume, yield, type = coroutine.resume, coroutine.yield, type
local SUSPEND, late = scheduler.SUSPEND, entity.late

local body = {}


-- A tick that is not calm; gives the values of the next.
local function tick(now, dt, frame, phase)
  clock.now, clock.dt, clock.frame = now, dt, frame
  local stir = scheduler.stir -- of who hears
  if stir then
    stir()
  end
  local spot, ran, task = entity.only, nil, nil
  if pump.even and phase >= 0 and spot and (pump.told or spot.shown or not scheduler.single) then
    now, dt, frame, phase, ran, task = steady.run(now, dt, frame, phase)
    clock.now, clock.dt, clock.frame = now, dt, frame
  end
  if not ran and not task and (scheduler.single or not budget.fresh) then
    task = pump.run_single(phase)
  end
  return pump.finish(phase, task, ran)
end


-- The only task, and where its entity is, if what the next tick will be is known; else nothing.
local function foresee()
  local task, spot = scheduler.single, entity.plain
  if task and spot and not spot.shown and not pump.told and not task.on_end and not scheduler.stir and outbox.n == 0
    and scheduler.deferrals == 0 and not late[1] and watch.begin(spot.self) then
    return task, spot
  end
end


--- Ticks for ever.
function body.run()
  local clock, raw_resume, yield, type = clock, raw_resume, yield, type -- luacheck: ignore 431
  local SUSPEND = SUSPEND -- luacheck: ignore 431
  local calm, inside = false, false -- and whether the task runs now
  local task, thread, spot, self, x, y, new

  local function stir()
    if calm then
      calm, scheduler.stir, spot.x, spot.y = false, nil, x, y
      watch.stop()
      if inside then
        scheduler.single = nil
      else
        scheduler.current, task.state = nil, "next"
      end
    end
  end

  local now, dt, frame, phase = yield(true)
  while true do
    if not calm or phase < 0 then
      now, dt, frame, phase = tick(now, dt, frame, phase)
      if phase >= 0 then
        task, spot = foresee()
        if task then
          if budget.begin then
            budget.begin()
          end
          calm, thread, self, x, y = true, task.thread, spot.self, spot.x, spot.y
          new = true -- Python may have set a field since the last tick
          scheduler.stir, scheduler.current, task.state = stir, task, "running"
        end
      end
    else
      clock.now, clock.dt, clock.frame = now, dt, frame
      inside = true
      local ok, token, request = raw_resume(thread)
      if not (calm and request == true and token == SUSPEND and ok) then
        stir()
        pump.settle_single(task, ok, token, request)
      end
      inside = false
      if calm and new then
        look(spot)
        new = false
        if spot.shown then
          stir()
        end
      end
      -- At the memory of a calm state the limits look soon enough: after so many instructions as in one long tick.
      if calm then
        local to_x, to_y = self.x, self.y
        if to_x == x and to_y == y then
          now, dt, frame, phase = yield(true)
        elseif type(to_x) == "number" and type(to_y) == "number" then
          x, y = to_x, to_y
          now, dt, frame, phase = yield(x, y)
        else
          x, y = nil, nil
          now, dt, frame, phase = yield(true)
        end
      else
        now, dt, frame, phase = pump.finish(phase, task)
      end
    end
  end
end


return body
