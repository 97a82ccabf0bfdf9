-- Who cancels a task that runs further out, such as its own spawner, ends it where that next waits.
-- row: C7
local script = {}


function script:start()
  task.spawn(function()
    local spawner = task.current()
    task.finally(function() print("spawner cleaned up") end)
    task.spawn(function()
      task.cancel(spawner)
      print("the child goes on", task.status(spawner))
    end)
    print("the spawner runs until it waits")
    wait()
    print("never")
  end)
end


return script

--> 0 | the child goes on running
--> 0 | the spawner runs until it waits
--> 0 | spawner cleaned up
