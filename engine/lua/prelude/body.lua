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

local raw_resume, yield, tonumber, status = coroutine.resume, coroutine.yield, tonumber, coroutine.status
local SUSPEND, late = scheduler.SUSPEND, entity.late

local body = {}

local task, spot -- of a calm state


-- A tick that is not calm; gives the phase of the next, whose time the clock shows.
local function tick(phase)
  local stir = scheduler.stir -- of who hears
  if stir then
    stir()
  end
  local alone, ran, single = entity.only, nil, nil
  if pump.even and phase >= 0 and alone and (pump.told or alone.shown or not scheduler.single) then
    phase, ran, single = steady.run(phase)
  end
  if not ran and not single and (scheduler.single or not budget.fresh) then
    single = pump.run_single(phase)
  end
  clock.now, clock.dt, clock.frame, phase = pump.finish(phase, single, ran)
  return phase
end


-- True if what the next tick will be is known: the only task runs, and its entity moves at most. Python may have set
-- a field since the last tick, which is told now.
local function foresee()
  task, spot = scheduler.single, entity.plain
  if task and spot and not spot.shown and not pump.told and not task.on_end and not scheduler.stir and outbox.n == 0
    and scheduler.deferrals == 0 and not late[1] and watch.begin(spot.self) then
    look(spot)
    if not spot.shown then
      return true
    end
    watch.stop()
  end
  return false
end


-- Ticks until the state is calm; gives what its next tick needs.
local function settle_down(stir, phase)
  repeat
    phase = tick(phase)
  until phase >= 0 and foresee()
  if budget.begin then
    budget.begin()
  end
  scheduler.stir, scheduler.current, task.state = stir, task, "running"
  return phase, task.thread, spot.self, spot.x, spot.y
end


-- The state is calm no longer. The task runs, `has_run` just now, or waits.
local function disturb(x, y, has_run)
  scheduler.stir, spot.x, spot.y = nil, x, y
  watch.stop()
  if has_run or status(task.thread) ~= "suspended" then
    scheduler.single = nil
  else
    scheduler.current, task.state = nil, "next"
  end
end


-- The end of a tick that was calm until the task did something else than to wait for the next frame.
local function finish(phase, ok, token, request)
  pump.settle_single(task, ok, token, request)
  return pump.finish(phase, task)
end


--- Ticks for ever. What is rare stands in functions of its own, so that a calm tick touches few constants and little stack.
function body.run()
  local calm, thread, self, x, y = false, nil, nil, nil, nil

  local function stir(has_run)
    if calm then
      calm = false
      disturb(x, y, has_run)
    end
  end

  local clock, raw_resume, yield, tonumber, SUSPEND = clock, raw_resume, yield, tonumber, SUSPEND -- luacheck: ignore 431
  local phase
  clock.now, clock.dt, clock.frame, phase = yield(true)
  while true do
    if not calm or phase < 0 then
      phase, thread, self, x, y = settle_down(stir, phase)
      calm = true
    end
    local ok, token, request = raw_resume(thread)
    -- At the memory of a calm state the limits look soon enough: after so many instructions as in one long tick.
    if calm and request == true and token == SUSPEND and ok then
      local to_x, to_y = self.x, self.y -- where each is a number, NaN too; `type` would look at strings, which are cold
      if to_x == x and to_y == y then
        clock.now, clock.dt, clock.frame, phase = yield(true)
      elseif to_x and to_y and (tonumber(to_x) == to_x or to_x ~= to_x) and (tonumber(to_y) == to_y or to_y ~= to_y) then
        x, y = to_x, to_y
        clock.now, clock.dt, clock.frame, phase = yield(to_x, to_y)
      else
        x, y = nil, nil
        clock.now, clock.dt, clock.frame, phase = yield(true)
      end
    else
      stir(true)
      clock.now, clock.dt, clock.frame, phase = finish(phase, ok, token, request)
    end
  end
end


return body
