-- Looks at what a script uses of its share: instructions and seconds of one tick, memory of the state. What else counts
-- stands in `spending`, and what uses more is for `overruns`: they are loaded when they are needed.
--
-- PUC Lua counts instructions per coroutine, so every new thread gets the hook.

local prelude = ...
local _, _, _, guarded, instructions, seconds, memory = ... -- as in `runtime.py`; nil is no limit
local clock = prelude.clock

local sethook, collect = debug.sethook, collectgarbage

local STEP = 1000 -- instructions between two looks
local STRIDE = 4000 -- the same of a thread that does little in each frame, where the limit is so many times as much
local STRIDES, REST = 100, 2 -- and frames in which there is no look at such a thread
local MODEST = 4096 -- kibibytes up to which a single instruction does not take long

local budget = {
  fresh = nil, -- nothing has been spent since `begin`, which need not be called again
  memory = (memory or 1 / 0) / 1024, -- kibibytes of the state, at most
  instructions = instructions or 1 / 0, seconds = seconds or 1 / 0, -- of a tick, at most
  frame = nil, -- in which something has been spent; nil where nothing was since `begin`
  before = nil, -- what `frame` was when it was last set
  spent = 0, -- instructions of the tick, as counted since `frame` was set
  allowance = nil, -- and how many it may have, once `charging` is there
  exhausted = nil, -- this tick has had what it may have; what can wait for the next frame does. "halted" where so much
    -- was stopped that nothing else is begun in it, no clean-up either
  stopping = nil, -- the message of the stop that is under way
  begin = nil, -- called at the start of a tick, where there are limits
  finish = nil, -- called at its end
  reset = nil, -- called by `begin`, once `overruns` is there
  renew = nil, -- while events are heard that are alike, of which a frame can have many: the next is a tick of its own
  hook = nil, -- of every thread, where there are limits: what could work for long is counted then
}

local most, modest = budget.instructions, budget.memory < MODEST and budget.memory or MODEST


-- The first look of a tick: most scripts do so little that few of their ticks are looked at, and those once.
local function glance(at, units)
  budget.frame, budget.spent, budget.fresh = at, units, false
  if budget.renew then
    budget.renew()
  end
  if collect("count") > modest then
    modest = 0 -- for good: garbage that comes and goes would decide what a look costs, and so where a script is stopped
  elseif units <= most then
    return
  end
  if units == STRIDE then
    sethook(budget.hook, "", STEP)
  end
  return prelude.overruns.hook()
end


-- The hook of a thread that does little in each frame: in a thousand states each look finds everything out of the cache.
local function stride()
  local at = clock.frame
  if at ~= budget.frame then
    return glance(at, STRIDE)
  end
  budget.spent = budget.spent + STRIDE
  sethook(budget.hook, "", STEP)
  return prelude.overruns.hook()
end


local function hook()
  local at, frame = clock.frame, budget.frame
  if at == frame then
    budget.spent = budget.spent + STEP
    return prelude.overruns.hook()
  end
  local last = frame or budget.before
  if last and at > last + REST and most >= STRIDES * STRIDE and collect("count") < modest then
    sethook(stride, "", STRIDE)
  end
  return glance(at, STEP)
end
budget.hook = guarded and hook


return budget
