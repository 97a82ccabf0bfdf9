-- What is done when a task of this state ends, whichever way.
-- Guarantee: what it left to be done at its end is done exactly once.

local prelude = ...
local turns, records = prelude.turns, prelude.records
local exposed, stops = prelude.later("exposed"), prelude.later("stops")

local endings = {}


--- Everything that ends a task comes through here, once.
function endings.finish(task, ok, ...)
  local state = task.state
  if state == "done" then
    return
  end
  task.state = "done"
  turns.forget(task, state)
  if task.listed then
    task.entity:disown(task)
  end
  if task.exposed then
    exposed.bury(task.thread)
  end
  local abandon = task.abandon
  if abandon then
    task.abandon = nil
    abandon()
  end
  if task.returns then
    stops.stop_each(task.returns)
  end
  if task.cleanups then
    stops.run_cleanups(task)
  end
  local on_end = task.on_end
  if on_end then
    task.on_end = nil
    on_end(ok, ...)
  end
end


--- A worker is free again: what it ran has ended by itself.
function endings.retire(task)
  local callback = task.callback
  if callback then
    callback.failures = 0
    task.callback = nil
  end
  if task.exposed or task.listed or task.cleanups or task.on_end or task.abandon then
    endings.finish(task, true)
  end
  records.release(task)
end


return endings
