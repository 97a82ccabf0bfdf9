-- What `task.group`, `task.all` and `task.race` are made of: tasks that belong to the one that waits for them.
-- Guarantee: a nursery is left only when every child has ended, however it ended.

local prelude = ...
local scheduler, suspension, stops = prelude.scheduler, prelude.suspension, prelude.stops
local records, task, exposed = prelude.records, prelude.task, prelude.exposed

local error, rawequal = error, rawequal

local nurseries = {}


--- A nursery for the calling task, which must be one that may wait; `word` is what the script called.
function nurseries.open(word)
  suspension.check_can_wait(word, 3)
  return { word = word, parent = scheduler.current, children = {}, alive = 0, results = {} }
end


--- End the children; there come no more.
function nurseries.close(nursery)
  nursery.closed = true
  stops.stop_each(nursery.children)
end


-- Both tracebacks: the parent's problem shows this one below its own.
local function cause_of(child, value, trace)
  local place = exposed.origin(child)
  return { value = value, trace = (place and "in a task started at " .. place .. ":\n" or "") .. trace }
end


local function child_failed(nursery, child, value, trace)
  if rawequal(value, stops.CANCELLED) then
    nursery.cancelled = nursery.cancelled or child.key
  elseif nursery.failure or nursery.settled then
    prelude.failures.on_failure(child, value, trace)
  else
    nursery.failure = cause_of(child, value, trace)
    nurseries.close(nursery)
  end
end


local function child_ended(nursery, child, ok, ...)
  nursery.children[child] = nil
  nursery.alive = nursery.alive - 1
  if ok then
    nursery.ended(nursery, child.key, ...)
  else
    child_failed(nursery, child, ...)
  end
  if nursery.alive == 0 and nursery.waiting then
    suspension.wake_later(nursery.parent)
  end
end


--- A child that belongs to the nursery, not started; or nil and why there may be no more.
function nurseries.bear(nursery, key, fn, level)
  local child, full = exposed.make(records.new_thread(task.function_of(fn)), nursery.parent.entity)
  if not child then
    return nil, full
  end
  exposed.remember(child, level + 1)
  child.key = key
  child.on_end = function(...)
    child_ended(nursery, child, ...)
  end
  nursery.children[child] = true
  nursery.alive = nursery.alive + 1
  return child
end


--- Wait for the children; an error with what one of them failed with.
function nurseries.leave(nursery)
  local me = nursery.parent
  if nursery.alive > 0 then
    me.abandon = function()
      nurseries.close(nursery)
    end
    nursery.waiting = true
    suspension.suspend(nursery.word, 1)
    me.abandon = nil
  end
  nursery.closed = true
  local failure = nursery.failure
  if failure then
    me.cause = failure
    error(failure.value, 0)
  end
end


return nurseries
