-- Counts what hooks do not see of what a script uses.

local prelude = ...
local budget, clock = prelude.budget, prelude.clock

local charging = {}

budget.allowance = budget.allowance or budget.instructions


--- Count instructions that no hook sees. In a calm state nobody else notices that a tick has begun, or that the next must
-- begin anew.
local function spend(units)
  local at = clock.frame
  if at ~= budget.frame then
    budget.frame, budget.spent, budget.fresh = at, 0, false
    if budget.renew then
      budget.renew()
    end
  end
  budget.spent = budget.spent + units
end
charging.spend = spend


--- Count work of a library function that no hook sees; only where the caller's tables are whole.
function charging.charge(units)
  if not budget.hook then
    return
  end
  spend(units)
  if budget.spent > budget.allowance or budget.stopping then
    prelude.overruns.strike("instructions")
  end
end


return charging
