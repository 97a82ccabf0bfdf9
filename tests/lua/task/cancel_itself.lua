-- A task that cancels itself ends there; its clean-ups run once, newest first.
-- row: C7
local script = {}


function script:start()
  task.spawn(function()
    task.finally(function() print("first clean-up") end)
    task.finally(function() print("second clean-up") end)
    task.cancel(task.current())
    print("never")
  end)
  task.spawn(function()
    local inner = coroutine.wrap(function()
      task.cancel(task.current())
      print("never")
    end)
    task.finally(function() print("cancelled from a coroutine inside") end)
    inner()
    print("never")
  end)
  print("the spawner goes on")
end


return script

--> 0 | second clean-up
--> 0 | first clean-up
--> 0 | cancelled from a coroutine inside
--> 0 | the spawner goes on
