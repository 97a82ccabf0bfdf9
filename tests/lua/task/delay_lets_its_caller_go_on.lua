-- What stands after a delay runs at once; the callback runs in the first frame whose time has come, never earlier.
-- row: B1
local script = {}


function script:start()
  task.delay(0.5, print, "after two frames")
  task.delay(0.6, print, "after three frames")
  task.delay(0, print, "the next frame")
  print("at once")
end


return script

--> 0 | at once
--> 1 | the next frame
--> 2 | after two frames
--> 3 | after three frames
