-- Any number of tasks may wait for a future, before and after it is done; each gets every result.
-- row: E11
local script = {}


function script:start()
  local future = async.start(function(a, b) wait(0.5) return a, nil, b end, 1, 2)
  print(future:status())
  for i = 1, 2 do
    task.spawn(function() print("awaiter", i, future:await()) end)
  end
  local third = task.spawn(function() future:await() print("never") end)
  task.cancel(third)
  print("self", future:await())
  print("again", future:await())
  print(future:status())
  future:cancel()
  print(future:status())
end


return script

--> 0 | pending
--> 2 | awaiter 1 1 nil 2
--> 2 | awaiter 2 1 nil 2
--> 2 | self 1 nil 2
--> 2 | again 1 nil 2
--> 2 | done
--> 2 | done
