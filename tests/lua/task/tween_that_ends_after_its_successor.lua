-- A tween whose fields a newer one took over ends without an error, also where the newer one has ended before: when it wakes,
-- and when it is cancelled.
-- row: C7
local script = {}


function script:start()
  self.x, self.y = 0, 0
  task.spawn(function() print("replaced", tween(self, 1, { x = 100 })) end)
  print("at once", tween(self, 0, { x = 5 }))
  local last = task.spawn(function() tween(self, 1, { y = 100 }) end)
  tween(self, 0, { y = 7 })
  task.cancel(last)
  wait(0.5)
  print(self.x, self.y)
end


return script

--> 0 | at once true
--> 1 | replaced false
--> 2 | 5 7
