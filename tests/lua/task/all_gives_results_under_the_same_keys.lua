-- `task.all` runs functions side by side and gives their first results under the keys they stood under.
-- row: C8
local script = {}

local function after(seconds, ...)
  local values = table.pack(...)
  return function()
    wait(seconds)
    return table.unpack(values, 1, values.n)
  end
end


function script:start()
  local results = task.all({ after(0.5, "a"), after(1, "b", "dropped"), named = after(0.25, "c") })
  print(results[1], results[2], results.named, #results)
  print(next(task.all({})))
  local at_once = task.all({ function() return 1 end, function() return nil end })
  print(at_once[1], at_once[2])
end


return script

--> 4 | a b c 2
--> 4 | nil
--> 4 | 1 nil
