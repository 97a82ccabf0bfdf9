-- Cancelling one child of `all` makes the result impossible: an error. A group only has one child less.
-- row: C8
local script = {}


function script:start()
  local child
  task.delay(0.25, function() task.cancel(child) end)
  print(pcall(task.all, { function() child = task.current() wait(5) end, function() wait(1) end }))
  task.group(function(g)
    child = g.spawn(function() wait(5) end)
    wait(0.25)
    task.cancel(child)
  end)
  print("left")
end


return script

--> 4 | false task.all: entry 1 was cancelled
--> 5 | left
