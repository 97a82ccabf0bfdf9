-- Timers due in the same frame run by their due time, then by the order in which they were set.
-- row: B2
local script = {}


function script:start()
  task.delay(0.9, print, "0.9")
  task.delay(0.8, print, "0.8, first")
  task.delay(0.8, print, "0.8, second")
  task.delay(1.0, print, "1.0")
  task.delay(0.76, print, "0.76")
end


return script

--> 4 | 0.76
--> 4 | 0.8, first
--> 4 | 0.8, second
--> 4 | 0.9
--> 4 | 1
