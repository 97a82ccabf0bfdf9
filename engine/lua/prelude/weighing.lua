-- How long Lua's own functions may take for a pattern, told from its steps.

local weighing = {}

local floor = math.floor

local AT_ONCE = 16 -- bytes of a set that Lua asks in the time of a step


local function overlap(a, b)
  for code = 0, 255 do
    if a[code] and b[code] then
      return true
    end
  end
  return false
end


-- True when what follows step `i` can begin with what the step repeats, so that giving back makes new ways to go on.
local function ambiguous(steps, i)
  local set = steps[i].set
  for k = i + 1, #steps do
    local step = steps[k]
    local kind = step.kind
    if kind == "end" then
      return false
    elseif kind == "again" or kind == "refuse" then
      return true
    elseif kind ~= "open" and kind ~= "close" and kind ~= "frontier" then
      if overlap(set, step.set) then
        return true
      elseif kind == "single" or kind == "balance" or (kind == "greedy" and step.least == 1) then
        return false
      end
    end
  end
  return false -- the rest matches anything, so nothing is ever given back
end


--- How the time that the C functions may need grows: `power` of the subject's length, times `factor`.
function weighing.of(steps, anchored)
  local power, factor, repeats = anchored and 0 or 1, #steps + 1, 0
  for i = 1, #steps do
    local kind, item = steps[i].kind, steps[i].item
    factor = factor + (item and floor(#item / AT_ONCE) or 0)
    if kind == "greedy" or kind == "lazy" then
      repeats = 1
      power = power + (ambiguous(steps, i) and 1 or 0)
    elseif kind == "balance" or kind == "again" then
      repeats = 1
    elseif kind == "optional" and ambiguous(steps, i) then
      factor = factor * 2
    end
  end
  return power + repeats, factor
end


return weighing
