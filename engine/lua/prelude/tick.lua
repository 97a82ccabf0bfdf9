-- What runs in a tick, and its end: the single task, due tasks, hooks, what was deferred, and where the entities are then.
-- Guarantee: what goes to sleep in a tick does not run again in it, and no error of a script leaves it.

local prelude = ...
local scheduler, clock, outbox, budget = prelude.scheduler, prelude.clock, prelude.outbox, prelude.budget
local entity, look = prelude.entity, prelude.screen.look
local standing, DONE = prelude.later("standing"), prelude.records.DONE

-- The pump is this table too, with more in it: a tick should touch few tables.
local tick = {
  fixed_step = 1 / 60,
  apart = 0, -- values of the operation that tells the places, which goes by itself, after all others
}

local type = type
local raw_resume, used = coroutine.resume, collectgarbage
local SUSPEND, settle, take_upcoming = scheduler.SUSPEND, scheduler.settle, scheduler.take_upcoming
local put, late = outbox.put, entity.late


-- The single task has run: it waits for the next frame again, or something else happens to it.
local function settle_single(task, ok, token, request)
  if request == true and token == SUSPEND and ok and task.state == "running"
    and not scheduler.pending and not scheduler.single then
    scheduler.single, scheduler.current, task.state = task, nil, "next"
  else
    settle(task, nil, ok, token, request)
  end
end


--- The first part of a tick: runs the single task, if there is one, and gives it.
function tick.run_single(phase)
  if budget.begin and not budget.fresh then
    budget.begin()
  end
  local task = phase >= 0 and scheduler.single
  if task then
    scheduler.single, scheduler.current, task.state = nil, task, "running"
    settle_single(task, raw_resume(task.thread))
  end
  return task
end


-- The end of a tick in a state where only one entity lives: all but its tasks and hooks.
local function wind_up(spot)
  if scheduler.deferrals > 0 then
    prelude.deferral.run_deferred()
  end
  local finish = budget.finish
  if finish and used("count") > budget.memory and finish() then
    put("over", 0, prelude.overruns.over_memory())
  end
  local x, y = look(spot)
  if x ~= spot.x or y ~= spot.y then
    if type(x) == "number" and type(y) == "number" then
      spot.x, spot.y = x, y
      return entity.hooked or scheduler.wake_time(), x, y
    end
    spot.x, spot.y = nil, nil
  end
  return entity.hooked or scheduler.wake_time()
end


-- A tick without its mail and its single task. Gives the wake time, and x and y where the only entity moved. What runs in
-- this frame has been `taken` where mail or the single task ran before: their waits are for the next.
local function rest(phase, taken)
  if phase >= 0 then
    if scheduler.pending then
      if not taken then
        take_upcoming()
      end
      scheduler.run_due()
    end
    if entity.hooked then
      prelude.hooks.every_frame(phase)
    end
  elseif phase == -2 and late[1] then
    prelude.hooks.call(late, "late_update", clock.dt)
  end
  if entity.only then
    return wind_up(entity.only)
  end
  if scheduler.deferrals > 0 then
    prelude.deferral.run_deferred()
  end
  if budget.finish and budget.finish() then
    put("over", 0, prelude.overruns.over_memory())
  end
  if scheduler.ran then
    prelude.places.publish(look)
  end
  return entity.hooked or scheduler.wake_time()
end


-- The same as `rest` without mail, in a state where only one entity lives, as in most. What its `update` hook needs is
-- written out: it ends at once.
local function go_on(phase, taken)
  local scheduler, entity, spot = scheduler, entity, entity.only -- luacheck: ignore 431
  if not spot or phase < 0 then
    return rest(phase, taken)
  end
  if scheduler.pending and not scheduler.run_usual(clock.now, taken) then
    if not taken then
      take_upcoming()
    end
    scheduler.run_due()
  end
  local hook = entity.beat
  if hook and not hook.paused then
    local task = hook.beat or standing.hire_beat(spot.me, hook)
    scheduler.current = task
    local ok, token, request = raw_resume(task.thread, hook.fn, spot.self, clock.dt)
    if token == DONE and task.state == "instant" and not task.marked then
      hook.beat, hook.failures, scheduler.current = task, 0, nil
    else
      standing.settle_beat(task, hook, ok, token, request)
    end
  elseif entity.hooked and not hook then
    prelude.hooks.every_frame(phase)
  end
  return wind_up(spot)
end


tick.settle_single = settle_single
tick.rest, tick.go_on, tick.wind_up = rest, go_on, wind_up


return tick
