-- Decides which tasks of one state run in this tick: those that waited for this frame, timers, what was deferred.
-- Guarantee: a tick ends; what goes to sleep while tasks run is not run again in the same frame.
--
-- A task that is the only one to sleep here, and waits for the next frame, stands in `single`, where the pump looks first.
-- Where others sleep, too, or for longer, `several` is loaded, and keeps who waits for the next frame in lists.

local prelude = ...
local several = prelude.later("several")

-- The scheduler is this table too, with more in it: a tick should touch few tables.
local turns = {
  current = nil, -- the task that runs
  single = nil, -- the only task that sleeps here, if it waits for the next frame
  pending = false, -- others sleep here, and none of them is in `single`
  deferrals = 0, -- how many tasks wait for the end of this tick
  stir = nil, -- while the pump takes `single` for all that happens here: to be called before anything else does
  put_off = nil, -- while a `start` runs early: takes the tasks of `task.every`, which begin later
  ran = nil, -- in a state with many entities, the slots of those whose tasks ran in this tick
  raw_resume = coroutine.resume,
}


--- Run `task` in the next frame, whatever the clock says then.
-- The pump resumes the single one with nothing and keeps no more than two results, so one with arguments or one that somebody
-- waits for goes into the list.
function turns.next_frame(task)
  task.state = "next"
  local stir = not turns.ran and turns.stir
  if stir then
    stir()
  end
  if not (turns.pending or turns.single or turns.ran or task.on_end or task.args) then
    turns.single = task
    return true
  end
  return several.enlist(task)
end


--- Forget `task`, which has just ended: lists may keep it, they skip what has ended. `state` is what it did before.
function turns.forget(task, state)
  if turns.single == task then
    turns.single = nil
  elseif task.list or turns.ran then
    several.forget(task, state)
  end
  task.deferred = nil
end


--- Set aside what waits for this frame, before mail makes more tasks wait for the next.
function turns.take_upcoming()
  if turns.single or turns.pending then
    several.take_upcoming()
  end
end


--- When the first sleeper wakes: true for the next frame, a time, or false for never.
function turns.wake_time()
  return turns.single and true or turns.pending and several.wake_time()
end


return turns
