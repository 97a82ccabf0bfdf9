-- Who resumes a task by hand gets its error, and it is no problem; a later one, alone, is.
-- row: C4 C10
local script = {}


function script:start()
  local function fail()
    coroutine.yield()
    error("for the resumer", 0)
  end
  local thread = task.spawn(fail)
  print(coroutine.resume(thread))
  thread = task.spawn(function()
    coroutine.yield()
    wait(0.25)
    error("for nobody")
  end)
  print(coroutine.resume(thread))
end


return script

--> 0 | false for the resumer
--> 0 | true
--> 1 | ! @:16: for nobody
