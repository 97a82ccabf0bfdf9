-- Takes what Python knows of the state: its limits, and who answers questions.

local prelude = ...
local entity, outbox, bus = prelude.entity, prelude.outbox, prelude.mail
local budget, scheduler, overruns = prelude.budget, prelude.scheduler, prelude.later("overruns")

local guards, seed, _, _, _, bytes, depth, told, events, subscriptions, spawns, tasks, errors, lines,
  asked, step = ... -- as in `bare.py`, where nil is no limit; and what `adopt` takes

local library = { most_lines = lines or 1 / 0 }

local collect, min, floor = collectgarbage, math.min, math.floor

local FEW = 32 -- as `crowd` knows them

entity.seed, entity.most_spawns, entity.task_limit = seed or 0, spawns or 1 / 0, tasks
outbox.most, scheduler.error_limit = told, errors
bus.most_events, bus.few = events or 1 / 0, events and min(floor(events / 4), FEW) or FEW
bus.most_subscriptions = subscriptions or 1 / 0
if bytes then
  outbox.limits.bytes, outbox.limits.depth = bytes, depth
end


--- Give the state to a world: `ask` is Python's, for questions.
function library.adopt(ask, fixed_step)
  prelude.pump.fixed_step = fixed_step
  entity.ask = not guards and ask or function(...)
    if collect("count") > budget.memory then -- there must be room for the answer
      overruns.check_memory()
    end
    return ask(...)
  end
end

if asked then
  library.adopt(asked, step)
end


return library
