-- A sleeper may be woken early; its timer does not wake it again. Who waits for something particular may not.
-- row: C6 C7
local script = {}


function script:start()
  local sleeper = task.spawn(function()
    print("woken early after", wait(5))
    print("slept on for", wait(0.5))
  end)
  wait(0.5)
  print(coroutine.resume(sleeper))

  local late = task.delay(5, function(...) print("started early with", ...) end, "its own arguments")
  task.spawn(late)
  late = task.delay(5, function(...) print("started early with", ...) end, "its own arguments")
  task.spawn(late, "others")

  local listener = task.spawn(function() task.wait_event("never") end)
  print(coroutine.resume(listener))
  print(pcall(task.spawn, listener))
end


return script

--> 2 | woken early after 0.5
--> 2 | true
--> 2 | started early with its own arguments
--> 2 | started early with others
--> 2 | false cannot resume a task that waits for an event, an answer or other tasks
--> 2 | false task.spawn: cannot resume a task that waits for an event, an answer or other tasks
--> 4 | slept on for 0.5
