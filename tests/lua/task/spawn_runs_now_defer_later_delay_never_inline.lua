-- The three ways to start a task, and the order they run in.
-- row: C6
local script = {}


function script:start()
  task.delay(0, print, "delayed")
  task.defer(print, "deferred")
  task.spawn(function()
    print("spawned")
    wait()
    print("spawned, the frame after")
  end)
  print("spawner")
end


return script

--> 0 | spawned
--> 0 | spawner
--> 0 | deferred
--> 1 | delayed
--> 1 | spawned, the frame after
