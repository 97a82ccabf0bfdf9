-- Stops a script that uses more than its share: instructions and seconds of one tick, memory of the state.
-- Guarantee: a stop ends the task that runs and nothing else. No `pcall`, handler or `__close` of a script outlives it, and
-- it never strikes inside the prelude, so the engine's own tables are always whole.
--
-- PUC Lua counts instructions per coroutine, so every new thread gets the hook. While a thread is being stopped its hook
-- runs on every instruction. An error that leaves a hook leaves the thread's hooks off, so a thread that was stopped
-- is never closed: its `__close` could not be stopped again.

local prelude = ...
local blame, clock = prelude.later("blame"), prelude.clock

local sethook, getinfo = debug.sethook, debug.getinfo
local collect, seconds_used, time = collectgarbage, os.clock, os.time
local error, next, setmetatable, type = error, next, setmetatable, type
local find, running, create, resume = string.find, coroutine.running, coroutine.create, coroutine.resume

local STEP = 1000 -- instructions between two looks
local STRIDE = 4000 -- the same of a thread that does little in each frame, where the limit is so many times as much
local STRIDES, REST = 100, 2 -- and frames in which there is no look at such a thread
local MODEST = 4096 -- kibibytes up to which a single instruction does not take long
local TRUSTED = "=?" -- the source of the prelude, whose bytecode has no names; `load` gives it to nobody else
local FAILURE = 500 -- instructions that a failure costs: the engine works for it, and no hook sees that
local MOST_OVERFLOWS = 50 -- that a thread may catch
local MOST_STOPS = 8 -- of a tick, until what has not had its turn waits for the next frame
local MOST_COLLECTIONS = 10 -- that a tick may need to stay within its memory; each takes as long as the state is big
local NO_MEMORY = "not enough memory"

local budget = {
  active = false,
  fresh = false, -- nothing has been spent since `begin`, which need not be called again
  kibibytes = 1 / 0, -- of the state, at most
  instructions = 1 / 0, seconds = 1 / 0, -- of a tick, at most
  MOST_COLLECTIONS = MOST_COLLECTIONS,
  exhausted = false, -- this tick has had what it may have; what can wait for the next frame does
  HALTED = "halted", -- `exhausted` when so much was stopped that nothing else is begun in this tick, no clean-up either
  stopping = false, -- the message of the stop that is under way
  killed = setmetatable({}, { __mode = "k" }), -- threads that must not be closed
  begin = nil, -- called at the start of a tick, where there are limits
  finish = nil, -- called at its end
}

local instructions, seconds, kibibytes, modest = 1 / 0, 1 / 0, 1 / 0, MODEST
local spent, allowance = 0, 1 / 0 -- of the tick, as counted since `frame` was set
local frame = nil -- in which something has been spent; nil where nothing was since `begin`
local before = nil -- what `frame` was when it was last set
local started, timed, second, patience = 0, nil, 0, 1 / 0 -- the processor's time, in which frame it was taken, the clock's
local stops, collections = 0, 0 -- of this tick
local turns = nil
local pending = nil -- why the next instruction of a script must not run
local overflows = setmetatable({}, { __mode = "k" }) -- thread -> how often it came to the end of the C stack
local urgent = setmetatable({}, { __mode = "k" }) -- threads whose hook runs on every instruction


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


-- Marks the running thread as one that dies, and raises.
local function strike(reason)
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
    strike(reason)
  end
end


-- The first look of a tick takes the time, the others compare.
local function too_long()
  local now = time()
  if timed ~= frame then
    started, timed, second = seconds_used(), frame, now
  elseif now ~= second or patience < seconds then
    second = now
    return seconds_used() - started > patience
  end
  return false
end


-- True when the state needs more than its memory, after all garbage is gone.
local function too_big()
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


-- Before anything is counted: in a calm state nobody else notices that a tick has begun, or that the next must begin anew.
local function spend()
  local at = clock.frame
  if at ~= frame then
    frame, spent, budget.fresh = at, 0, false
    if turns.renew then
      turns.renew()
    end
  end
end


-- A look that is not the first of its tick, or finds much memory in use.
local function look()
  if pending or budget.stopping then
    trip(pending or "instructions")
    return
  end
  local thread = next(urgent) and running()
  if thread and urgent[thread] then
    urgent[thread] = nil
    sethook(thread, budget.hook, "", STEP)
  end
  if spent > allowance then
    trip("instructions")
  elseif collect("count") > kibibytes and (too_big() or collections > MOST_COLLECTIONS) then
    trip(collections > MOST_COLLECTIONS and collect("count") <= kibibytes and "garbage" or "memory")
  elseif too_long() then
    trip("seconds")
  end
end


-- The first look of a tick, which is `spend` written out: most scripts do so little that few of their ticks are looked at,
-- and those once.
local function glance(at, units)
  frame, spent, budget.fresh = at, units, false
  if turns.renew then
    turns.renew()
  end
  if collect("count") > modest or units > instructions then
    if units == STRIDE then
      sethook(budget.hook, "", STEP)
    end
    return look()
  end
end


-- The hook of a thread that does little in each frame: in a thousand states each look finds everything out of the cache.
local function stride()
  local at = clock.frame
  if at ~= frame then
    return glance(at, STRIDE)
  end
  spent = spent + STRIDE
  sethook(budget.hook, "", STEP)
  return look()
end


function budget.hook()
  local at = clock.frame
  if at == frame then
    spent = spent + STEP
    return look()
  end
  local last = frame or before
  if last and at > last + REST and instructions >= STRIDES * STRIDE and collect("count") < modest then
    sethook(stride, "", STRIDE)
  end
  return glance(at, STEP)
end


--- Count work of a library function that no hook sees; only where the caller's tables are whole.
function budget.charge(units)
  if not budget.active then
    return
  end
  spend()
  spent = spent + units
  if spent > allowance or budget.stopping then
    strike("instructions")
  end
end


--- Call `fn`, which works long for a script and runs none in its own thread, where no hook slows it: once the budget is
-- spent, the hook runs on every instruction until it meets one of a script. It counts as so many instructions.
function budget.trust(units, fn, ...)
  spend()
  spent = spent + units
  local ok, problem = resume(create(fn), ...)
  if not ok then
    error(problem, 0)
  end
end


--- Stop the running task if the state is over its memory; before anything of Python enters.
function budget.check_memory()
  if collect("count") > kibibytes and too_big() then
    strike("memory")
  end
end


--- What `pcall` and its like must not give back to a script; `thread` is one that has just died with `message`.
function budget.pass(thread, message)
  if budget.stopping then
    error(budget.stopping, 0)
  elseif message == NO_MEMORY and budget.active then
    if thread then
      budget.killed[thread] = true
    end
    budget.charge(instructions / MOST_OVERFLOWS)
  elseif budget.active and type(message) == "string" and find(message, "stack overflow", 1, true) then
    -- A `pcall` that catches this goes on with a fresh C stack, ever deeper, and unwinding takes the square of the depth.
    local me = running()
    overflows[me] = (overflows[me] or 0) + 1
    budget.charge(overflows[me] > MOST_OVERFLOWS and 1 / 0 or instructions / MOST_OVERFLOWS)
  end
end


-- What a failure costs. Before Lua says that there is no memory it collects all garbage, and the stack overflows late.
local function price(value)
  local costly = value == NO_MEMORY or type(value) == "string" and find(value, "stack overflow", 1, true)
  return costly and instructions < 1 / 0 and instructions / MOST_OVERFLOWS or FAILURE
end


--- What a task's failure is called. The stop that ended it is over; the tasks after it share half of what it had.
function budget.explain(task, value)
  local stopped = budget.stopping
  if budget.active then
    spend()
    spent = spent + price(value)
    budget.exhausted = budget.exhausted or spent > allowance
  end
  if stopped then
    budget.stopping, pending = false, nil
    spent, allowance = 0, allowance / 2
    timed, patience = nil, patience / 2
    stops = stops + 1
    if stops == MOST_STOPS then
      budget.exhausted = budget.HALTED
      prelude.turns.postpone()
    end
    prelude.outbox.put("stopped", task.entity.id)
    return stopped
  elseif value == NO_MEMORY and budget.active then
    budget.killed[task.thread] = true
    return blame.no_memory(task, value)
  end
  return value
end


local function begin()
  if frame then
    budget.exhausted, budget.fresh = false, true
    before, frame, timed, spent, allowance, pending, stops, collections = frame, nil, nil, 0, instructions, nil, 0, 0
    patience = seconds
  end
end


-- At the end of a tick: true when the state is still too big, so that the world has to close it.
local function finish()
  return collect("count") > kibibytes and too_big()
end


--- What is said of a state that is closed.
function budget.over_memory()
  return blame.waiting() .. blame.said("memory")
end


--- Watch every thread from now on. Seconds are of processor time, memory is in bytes; nil is no limit.
function budget.start(most_instructions, most_seconds, most_memory)
  instructions, seconds = most_instructions or 1 / 0, most_seconds or 1 / 0
  kibibytes = (most_memory or 1 / 0) / 1024
  modest = kibibytes < MODEST and kibibytes or MODEST
  budget.instructions, budget.seconds, budget.kibibytes = instructions, seconds, kibibytes
  turns, frame = prelude.turns, 0
  begin()
  budget.active, budget.begin, budget.finish = true, begin, finish
  local hook = budget.hook
  prelude.records.on_thread = function(thread)
    -- A thread that ends before its first look would be free.
    spend()
    spent = spent + STEP / 10
    if spent > allowance then
      pending = pending or "instructions"
      urgent[thread] = true
    end
    sethook(thread, hook, "", urgent[thread] and 1 or STEP)
  end
end


return budget
