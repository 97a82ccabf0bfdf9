-- A newer tween takes a field over; the older goes on with the fields it has left, and ends where it has none.
local script = {}


function script:start()
  self.x, self.y = 0, 0
  task.spawn(function() print("both", tween(self, 1, { x = 100, y = 4 })) end)
  task.spawn(function() print("x only", tween(self, 1, { x = 100 })) end)
  wait(0.5)
  print(self.x, self.y)
  local last = task.spawn(function() print("never", tween(self, 1, { x = 0 })) end)
  wait(0.25)
  print(self.x, self.y)
  task.cancel(last)
  wait(0.5)
  print(self.x, self.y)
end


return script

--> 2 | 50 2
--> 3 | x only false
--> 3 | 37.5 3
--> 4 | both true
--> 5 | 37.5 4
