-- An uncaught error is a problem at its line; other tasks, and the task that started it, go on.
-- row: C10
local script = {}


function script:start()
  task.spawn(function() wait(0.25) print("another task goes on") end)
  task.spawn(function() error("at once") end)
  task.delay(0.25, function() error({ code = 7 }) end)
  task.spawn(function() wait(0.5) error("after a wait") end)
  print("the spawner goes on")
end


return script

--> 0 | the spawner goes on
--> 0 | ! @:8: at once
--> 1 | another task goes on
--> 1 | ! @:9: {code = 7}
--> 2 | ! @:10: after a wait
