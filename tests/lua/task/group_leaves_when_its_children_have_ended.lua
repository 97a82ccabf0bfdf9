-- `task.group` waits for its body and for all that the body started, and gives what the body returned.
-- row: C8
local script = {}


function script:start()
  print(task.group(function(g)
    g.spawn(function(name) wait(1) print(name) end, "slow")
    g.delay(0.25, print, "delayed")
    g.defer(print, "deferred")
    g.spawn(function()
      wait(0.5)
      g.spawn(function() wait(1) print("child of a child") end)
    end)
    print("body")
    return "result", nil
  end))
  local leaked
  task.group(function(g) leaked = g end)
  print(pcall(leaked.spawn, print))
end


return script

--> 0 | body
--> 0 | deferred
--> 1 | delayed
--> 4 | slow
--> 6 | child of a child
--> 6 | result nil
--> 6 | false group.spawn: the group has ended
