-- Two tasks wait side by side; each is told how long it really waited.
-- row: B1
local script = {}


function script:start()
  task.spawn(function()
    print("short", wait(0.3))
  end)
  print("long", wait(1))
end


return script

--> 2 | short 0.5
--> 4 | long 1
