-- `wait()`, `wait(nil)`, `wait(0)` and a time too short to count are all the next frame.
local script = {}


function script:start()
  print("wait()", wait())
  print("wait(nil)", wait(nil))
  print("wait(0)", wait(0))
  print("task.wait", task.wait(1e-300))
  print("three frames", task.wait_frames(3))
end


return script

--> 1 | wait() 0.25
--> 2 | wait(nil) 0.25
--> 3 | wait(0) 0.25
--> 4 | task.wait 0.25
--> 7 | three frames 0.75
