-- Counts what a script uses of its share: instructions and seconds of one tick, memory of the state. What uses more is for
-- `overruns`, which is loaded then.
--
-- PUC Lua counts instructions per coroutine, so every new thread gets the hook.

local prelude = ...
local overruns, clock = prelude.later("overruns"), prelude.clock

local sethook, collect, setmetatable = debug.sethook, collectgarbage, setmetatable

local STEP = 1000 -- instructions between two looks
local STRIDE = 4000 -- the same of a thread that does little in each frame, where the limit is so many times as much
local STRIDES, REST = 100, 2 -- and frames in which there is no look at such a thread
local MODEST = 4096 -- kibibytes up to which a single instruction does not take long

local budget = {
  active = false,
  fresh = false, -- nothing has been spent since `begin`, which need not be called again
  kibibytes = 1 / 0, -- of the state, at most
  instructions = 1 / 0, seconds = 1 / 0, -- of a tick, at most
  frame = nil, -- in which something has been spent; nil where nothing was since `begin`
  spent = 0, allowance = 1 / 0, -- instructions of the tick, as counted since `frame` was set
  exhausted = false, -- this tick has had what it may have; what can wait for the next frame does. "halted" where so much
    -- was stopped that nothing else is begun in it, no clean-up either
  stopping = false, -- the message of the stop that is under way
  killed = setmetatable({}, { __mode = "k" }), -- threads that must not be closed
  begin = nil, -- called at the start of a tick, where there are limits
  finish = nil, -- called at its end
  reset = nil, -- called by `begin`, once `overruns` is there
}

local instructions, kibibytes, modest = 1 / 0, 1 / 0, MODEST
local before = nil -- what `frame` was when it was last set
local turns = nil


--- Count instructions that no hook sees. In a calm state nobody else notices that a tick has begun, or that the next must
-- begin anew.
local function spend(units)
  local at = clock.frame
  if at ~= budget.frame then
    budget.frame, budget.spent, budget.fresh = at, 0, false
    if turns.renew then
      turns.renew()
    end
  end
  budget.spent = budget.spent + units
end
budget.spend = spend


-- The first look of a tick, with `spend` written out: most scripts do so little that few of their ticks are looked at,
-- and those once.
local function glance(at, units)
  budget.frame, budget.spent, budget.fresh = at, units, false
  if turns.renew then
    turns.renew()
  end
  if collect("count") > modest then
    modest = 0 -- for good: garbage that comes and goes would decide what a look costs, and so where a script is stopped
  elseif units <= instructions then
    return
  end
  if units == STRIDE then
    sethook(budget.hook, "", STEP)
  end
  return overruns.look()
end


-- The hook of a thread that does little in each frame: in a thousand states each look finds everything out of the cache.
local function stride()
  local at = clock.frame
  if at ~= budget.frame then
    return glance(at, STRIDE)
  end
  budget.spent = budget.spent + STRIDE
  sethook(budget.hook, "", STEP)
  return overruns.look()
end


function budget.hook()
  local at, frame = clock.frame, budget.frame
  if at == frame then
    budget.spent = budget.spent + STEP
    return overruns.look()
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
  spend(units)
  if budget.spent > budget.allowance or budget.stopping then
    overruns.strike("instructions")
  end
end


local function begin()
  if budget.frame then
    before, budget.frame, budget.spent, budget.allowance = budget.frame, nil, 0, instructions
    budget.exhausted, budget.fresh = false, true
    if budget.reset then
      budget.reset()
    end
  end
end


-- At the end of a tick: true when the state is still too big, so that the world has to close it.
local function finish()
  return collect("count") > kibibytes and overruns.too_big()
end


--- Watch every thread from now on. Seconds are of processor time, memory is in bytes; nil is no limit.
function budget.start(most_instructions, most_seconds, most_memory)
  instructions = most_instructions or 1 / 0
  kibibytes = (most_memory or 1 / 0) / 1024
  modest = kibibytes < MODEST and kibibytes or MODEST
  budget.instructions, budget.seconds, budget.kibibytes = instructions, most_seconds or 1 / 0, kibibytes
  turns, budget.frame = prelude.turns, 0
  begin()
  budget.active, budget.begin, budget.finish = true, begin, finish
  local hook = budget.hook
  prelude.records.on_thread = function(thread)
    spend(STEP / 10) -- one that ends before its first look would be free
    sethook(thread, hook, "", STEP)
    if budget.spent > budget.allowance then
      overruns.hasten(thread)
    end
  end
end


return budget
