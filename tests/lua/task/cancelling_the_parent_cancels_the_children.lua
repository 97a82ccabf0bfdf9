-- Children end before the clean-ups of the parent that waits for them; grandchildren too.
-- row: C8
local script = {}

local function child(name)
  return function()
    task.finally(function() print(name, "cancelled") end)
    wait(5)
  end
end


function script:start()
  local parent = task.spawn(function()
    task.finally(function() print("parent cleaned up") end)
    task.all({
      child("first"),
      function()
        task.finally(function() print("second cancelled") end)
        task.group(function(g)
          g.spawn(child("grandchild"))
        end)
      end,
    })
  end)
  wait(0.5)
  task.cancel(parent)
end


return script

--> 2 | first cancelled
--> 2 | grandchild cancelled
--> 2 | second cancelled
--> 2 | parent cleaned up
