-- A wait gives the seconds that passed, also where who resumes the task, or the coroutine around the wait, passes values.
-- row: C6 C7
local script = {}


function script:start()
  local sleeper = task.spawn(function()
    print("first", pcall(wait, 5))
    print("second", pcall(wait))
    print("third", pcall(wait, 5))
    print("inner", coroutine.resume(coroutine.create(function()
      return "passed", wait(5)
    end)))
  end)
  print(coroutine.resume(sleeper, "early", 2))
  print(sleeper == task.spawn(sleeper, true, "early"))
  task.delay(0.5, sleeper, "early")
  task.delay(1, sleeper, "early", "again")
end


return script

--> 0 | first true 0
--> 0 | true
--> 0 | second true 0
--> 0 | true
--> 2 | third true 0.5
--> 4 | inner true passed 0.5
