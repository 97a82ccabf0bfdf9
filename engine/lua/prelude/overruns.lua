-- Stops a script that uses more than its share, which `budget` counts.
-- Guarantee: a stop ends the task that runs and nothing else. No `pcall`, handler or `__close` of a script outlives it, and
-- it never strikes inside the prelude, so the engine's own tables are always whole.
--
-- While a thread is being stopped its hook runs on every instruction. An error that leaves a hook leaves the thread's hooks
-- off, so a thread that was stopped is never closed: its `__close` could not be stopped again.

local prelude = ...
local budget, turns, blame = prelude.budget, prelude.turns, prelude.later("blame")

local sethook, getinfo = debug.sethook, debug.getinfo
local collect, seconds_used = collectgarbage, package.loaded.os.clock
local error, setmetatable, type = error, setmetatable, type
local find, running, create, resume = string.find, coroutine.running, coroutine.create, coroutine.resume
local spend, charge = prelude.charging.spend, prelude.charging.charge

local TRUSTED = "=?" -- the source of the prelude, whose bytecode has no names; `load` gives it to nobody else
local STEP = 1000 -- instructions between two looks, as in `budget`
local FAILURE = 500 -- instructions that a failure costs: the engine works for it, and no hook sees that
local MOST_OVERFLOWS = 50 -- that a thread may catch
local MOST_STOPS = 8 -- of a tick, until what has not had its turn waits for the next frame
local MOST_COLLECTIONS = 10 -- that a tick may need to stay within its memory; each takes as long as the state is big
local LOOKS = 3 -- for one at the processor's time, which takes as long as a hundred instructions
local NO_MEMORY = "not enough memory"

local overruns = { MOST_COLLECTIONS = MOST_COLLECTIONS }

local instructions, seconds, kibibytes = budget.instructions, budget.seconds, budget.memory
local started, timed, looks, patience = 0, nil, 0, seconds -- the processor's time, in which frame it was taken, looks since
local stops, collections = 0, 0 -- of this tick
local pending = nil -- why the next instruction of a script must not run
local overflows = setmetatable({}, { __mode = "k" }) -- thread -> how often it came to the end of the C stack
local urgent = setmetatable({}, { __mode = "k" }) -- threads whose hook runs on every instruction


-- A new tick: what was spent before is forgotten.
function budget.reset()
  timed, patience, pending, stops, collections = nil, seconds, nil, 0, 0
end


-- The tick is none of those that are alike: what follows it has to begin anew.
local function stir()
  local rouse = turns.stir
  if rouse then
    rouse()
  end
end


-- Has the hook of the running thread look at every instruction; setting a hook goes over the whole stack.
local function hurry()
  local thread = running()
  if not urgent[thread] then
    sethook(thread, budget.hook, "", 1)
    urgent[thread] = true
  end
  return thread
end


--- Marks the running thread as one that dies, and raises.
function overruns.strike(reason)
  budget.killed[hurry()] = true
  if not budget.stopping then
    budget.stopping = blame.striking() .. blame.said(reason)
    pending = nil
  end
  error(budget.stopping, 0)
end


-- Strikes, unless the prelude runs, whose work is short and must not be left half done. Called by the hook itself:
-- level 3 is the function that was interrupted.
local function trip(reason)
  stir()
  pending = reason
  local info = getinfo(3, "S")
  if info and info.source == TRUSTED then
    hurry()
  else
    overruns.strike(reason)
  end
end


--- A new thread in a tick that has had what it may have: its first instruction must not run.
function overruns.hasten(thread)
  pending = pending or "instructions"
  urgent[thread] = true
  sethook(thread, budget.hook, "", 1)
end


-- The first look of a tick takes the time, and each third of the others compares. Which, no clock may say: what a hook does
-- counts for the script's next step, so that the clock would decide where a script is stopped.
local function too_long()
  if timed ~= budget.frame then
    started, timed, looks = seconds_used(), budget.frame, 0
    return false
  end
  looks = looks + 1
  return (looks % LOOKS == 0 or patience < seconds) and seconds_used() - started > patience
end


--- True when the state needs more than its memory, after all garbage is gone.
function overruns.too_big()
  stir()
  collections = collections + 1
  if collect("count") > kibibytes then
    collect("collect")
    if collect("count") > kibibytes then
      return true
    end
  end
  return false
end


--- A look that is not the first of its tick, or finds much memory in use.
function overruns.hook()
  if pending or budget.stopping then
    trip(pending or "instructions")
    return
  end
  local thread = running()
  if urgent[thread] then -- to ask first whether there are any would make the collector decide where a script is stopped
    urgent[thread] = nil
    sethook(thread, budget.hook, "", STEP)
  end
  if budget.spent > budget.allowance then
    trip("instructions")
  elseif collect("count") > kibibytes and (overruns.too_big() or collections > MOST_COLLECTIONS) then
    trip(collections > MOST_COLLECTIONS and collect("count") <= kibibytes and "garbage" or "memory")
  elseif too_long() then
    trip("seconds")
  end
end


--- Call `fn`, which works long for a script and runs none in its own thread, where no hook slows it: once the budget is
-- spent, the hook runs on every instruction until it meets one of a script. It counts as so many instructions.
function overruns.trust(units, fn, ...)
  spend(units)
  local ok, problem = resume(create(fn), ...)
  if not ok then
    error(problem, 0)
  end
end


--- Stop the running task, unless its state is within its memory when all garbage is gone.
function overruns.check_memory()
  if overruns.too_big() then
    overruns.strike("memory")
  end
end


--- What `pcall` and its like must not give back to a script; `thread` is one that has just died with `message`.
function overruns.pass(thread, message)
  if budget.stopping then
    error(budget.stopping, 0)
  elseif message == NO_MEMORY and budget.hook then
    if thread then
      budget.killed[thread] = true
    end
    charge(instructions / MOST_OVERFLOWS)
  elseif budget.hook and type(message) == "string" and find(message, "stack overflow", 1, true) then
    -- A `pcall` that catches this goes on with a fresh C stack, ever deeper, and unwinding takes the square of the depth.
    local me = running()
    overflows[me] = (overflows[me] or 0) + 1
    charge(overflows[me] > MOST_OVERFLOWS and 1 / 0 or instructions / MOST_OVERFLOWS)
  end
end


-- What a failure costs. Before Lua says that there is no memory it collects all garbage, and the stack overflows late.
local function price(value)
  local costly = value == NO_MEMORY or type(value) == "string" and find(value, "stack overflow", 1, true)
  return costly and instructions < 1 / 0 and instructions / MOST_OVERFLOWS or FAILURE
end


--- What a task's failure is called. The stop that ended it is over; the tasks after it share half of what it had.
function overruns.explain(task, value)
  local stopped = budget.stopping
  if budget.hook then
    spend(price(value))
    budget.exhausted = budget.exhausted or budget.spent > budget.allowance
  end
  if stopped then
    budget.stopping, pending = false, nil
    budget.spent, budget.allowance = 0, budget.allowance / 2
    timed, patience = nil, patience / 2
    stops = stops + 1
    if stops == MOST_STOPS then
      budget.exhausted = "halted"
      if turns.pending then
        prelude.several.postpone()
      end
    end
    prelude.outbox.put("stopped", task.entity.id)
    return stopped
  elseif value == NO_MEMORY and budget.hook then
    budget.killed[task.thread] = "no memory"
    return blame.no_memory(task, value)
  end
  return value
end


--- What is said of a state that is closed.
function overruns.over_memory()
  return blame.waiting() .. blame.said("memory")
end


return overruns
