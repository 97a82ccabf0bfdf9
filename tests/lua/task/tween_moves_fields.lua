-- `tween` suspends its task, moves number fields along a curve, and ends exactly at the goals.
local script = {}


function script:start()
  self.x, self.y = 0, 10
  task.spawn(function()
    for _ = 1, 5 do
      print(self.x, self.y)
      wait()
    end
  end)
  print(tween(self, 1, { x = 8, y = 2 }))
  print("at once", tween(self, 0, { x = 1 }), self.x)
  tween(self, 0.5, { x = 5 }, "in-quad")
  print(self.x)
  tween(self, 0.5, { x = 0 }, function(t) return t end)
  print(self.x)
end


return script

--> 0 | 0 10
--> 1 | 0 10
--> 2 | 2 8
--> 3 | 4 6
--> 4 | 6 4
--> 4 | true
--> 4 | at once true 1
--> 6 | 5
--> 8 | 0
