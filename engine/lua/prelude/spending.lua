-- Begins and ends the count of what a tick uses, and has threads counted.

local prelude = ...
local budget, records, overruns = prelude.budget, prelude.records, prelude.later("overruns")
local spend = prelude.charging.spend

local sethook, collect = debug.sethook, collectgarbage

local THREAD = 100 -- instructions that a new thread counts: one that ends before its first look would be free
local STEP = 1000 -- as in `budget`

budget.killed = setmetatable({}, { __mode = "k" }) -- threads that must not be closed; "no memory" for one that Lua ended

local instructions = budget.instructions


local function begin()
  if budget.frame then
    budget.before, budget.frame, budget.spent, budget.allowance = budget.frame, nil, 0, instructions
    budget.exhausted, budget.fresh = false, true
    if budget.reset then
      budget.reset()
    end
  end
end


-- At the end of a tick: true when the state is still too big, so that the world has to close it.
local function finish()
  return collect("count") > budget.memory and overruns.too_big()
end


if budget.hook then
  local hook = budget.hook
  budget.begin, budget.finish = begin, finish
  function records.on_thread(thread)
    spend(THREAD)
    sethook(thread, hook, "", STEP)
    if budget.spent > budget.allowance then
      overruns.hasten(thread)
    end
  end
end


return budget
