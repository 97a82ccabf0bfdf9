-- Tasks that stand ready for one kind of call: a handler of events, an `update` hook. Most of these end at once.

local prelude = ...
local records, scheduler, entity = prelude.records, prelude.scheduler, prelude.entity

local raw_yield = coroutine.yield
local workers, new_thread, DONE = records.workers, records.new_thread, records.DONE

local standing = {}


-- Body of a thread for handlers of events, which take one value each: it is all that `hearing` needs, and half the work of
-- a worker. `for` calls `raw_yield(DONE, fn)` with half the instructions of `while`, and the limits see each of them.
-- What it calls may be compiled; LuaJIT would try in vain to compile the loop itself, in each state.
local function hear(first, news)
  first(news)
  for fn, event in raw_yield, DONE do
    fn(event)
  end
end
if jit then
  jit.off(hear)
end


--- A task whose thread takes (function, event). It counts as running as long as the caller keeps it, which is while
-- nothing marks it and each handler ends at once.
function standing.hire_ear()
  local task = workers.ear
  if task then
    workers.ear, task.state = nil, "running"
    return task
  end
  return { thread = new_thread(hear), state = "running", ear = true }
end


-- The same for `update` hooks, which take `self` and the seconds. One that a script knows is not resumed again.
local function beat(fn, self, dt)
  repeat
    fn(self, dt)
    fn, self, dt = raw_yield(DONE)
  until false
end


if jit then
  jit.off(beat) -- a loop that yields is tried in vain; what it calls is compiled all the same
end


--- A task for one hook of one entity, whose thread takes (function, self, seconds). It is never given back: it
-- serves as long as the caller keeps it, which is while nothing marks it and each call ends at once.
function standing.hire_beat(me, hook)
  return {
    thread = new_thread(beat), state = "instant", instant = hook.name, entity = me, callback = hook, beat = true,
  }
end


--- The `update` hook of the only entity has run in `task`, which comes back if it is free for the next frame.
function standing.settle_beat(task, hook, ok, token, request)
  hook.beat = token == DONE and task.state == "instant" and not task.marked and task or nil
  if hook.beat then
    scheduler.current, hook.failures = nil, 0
  else
    scheduler.settle(task, nil, ok, token, request)
    if entity.rolls then -- of whose failures they know nothing
      entity.rolls.update = nil
    end
  end
end


return standing
