-- `task.race` gives the winner's first result and its key; an error can win too.
-- row: C8
local script = {}

local function runner(name, seconds)
  return function()
    task.finally(function() print(name, "is over") end)
    wait(seconds)
    return name, "dropped"
  end
end


function script:start()
  print(task.race({ runner("hare", 1), tortoise = runner("tortoise", 0.5) }))
  print(pcall(task.race, { runner("late", 1), function() wait(0.25) error("crash", 0) end }))
  print(task.race({ function() return "at once" end, function() print("never started") end }))
  print(pcall(task.race, {}))
  print(pcall(task.race, { 1 }))
  print(task.race({ function() task.cancel(task.current()) end, runner("other", 0.25) }))
  print(pcall(task.race, { function() task.cancel(task.current()) end }))
end


return script

--> 2 | tortoise is over
--> 2 | hare is over
--> 2 | tortoise tortoise
--> 3 | late is over
--> 3 | false crash
--> 3 | at once 1
--> 3 | false task.race: there is nothing to wait for, the table is empty
--> 3 | false task.race: entry 1: expected a function, got a number
--> 4 | other is over
--> 4 | other 2
--> 4 | false task.race: every entry was cancelled
