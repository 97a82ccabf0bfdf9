-- The timer of a cancelled task is gone; a task that was woken early sleeps by its new timer only.
-- row: C7 B4
local script = {}


function script:start()
  local thread = task.spawn(function()
    wait(0.5)
    print("never")
  end)
  task.delay(0.25, thread)
  task.delay(0.5, thread)
  task.cancel(thread)
  wait(1)
  print(task.status(thread))
end


return script

--> 4 | done
