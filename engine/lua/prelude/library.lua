-- Fills the environments with what the engine gives to scripts beside its libraries: wait, tween, print, require; and
-- takes what Python knows of the state when it is made.

local prelude = ...
local sandbox, entity, outbox, bus = prelude.sandbox, prelude.entity, prelude.outbox, prelude.mail
local budget, scheduler, overruns = prelude.budget, prelude.scheduler, prelude.later("overruns")

local _, guards, seed, instructions, seconds, memory, bytes, depth, told, events, few, subscriptions, spawns, tasks, errors,
  lines = ... -- as in `limited_runtime`; nil is no limit

local library = { most_lines = lines or 1 / 0 }

local base, collect = sandbox.base, collectgarbage

base.wait = prelude.wait.wait
base.tween = sandbox.on_first_call("tween", { "tween" }).tween
base.print = sandbox.on_first_call("log", { "print" }).print
base.require = sandbox.on_first_call("requiring", { "require" }).require

entity.seed, entity.most_spawns, entity.task_limit = seed or 0, spawns or 1 / 0, tasks
outbox.most, scheduler.error_limit = told, errors
bus.most_events, bus.few, bus.most_subscriptions = events or 1 / 0, few or 32, subscriptions or 1 / 0
if bytes then
  outbox.limits.bytes, outbox.limits.depth = bytes, depth
end
if guards then
  budget.start(instructions, seconds, memory)
end
budget.start = nil -- it is not needed again


--- Give the state to a world: `ask` is Python's, for questions.
function library.adopt(ask, fixed_step)
  prelude.pump.fixed_step = fixed_step
  entity.ask = not guards and ask or function(...)
    if collect("count") > budget.kibibytes then -- there must be room for the answer
      overruns.check_memory()
    end
    return ask(...)
  end
end


return library
