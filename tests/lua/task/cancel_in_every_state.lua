-- Cancelling before the start, while it waits, when it is over, and twice: never an error, and nothing runs afterwards.
-- row: C7
local script = {}

local function noisy(name)
  return function()
    task.finally(function() print(name, "cleaned up") end)
    print(name, "runs")
    wait(0.5)
    print(name, "ends")
  end
end


function script:start()
  local before = task.delay(0.25, noisy("before its start"))
  local deferred = task.defer(noisy("deferred"))
  local waiting = task.spawn(noisy("waiting"))
  local finished = task.spawn(function() end)
  local parked = task.spawn(function()
    task.finally(function() print("parked, cleaned up") end)
    coroutine.yield()
  end)
  for _, thread in ipairs({ before, deferred, waiting, finished, parked }) do
    task.cancel(thread)
    task.cancel(thread)
    print(task.status(thread), coroutine.status(thread), coroutine.resume(thread))
  end
  print(pcall(task.spawn, waiting))
  print(pcall(task.cancel, "x"))
end


return script

--> 0 | waiting runs
--> 0 | done dead false cannot resume dead coroutine
--> 0 | done dead false cannot resume dead coroutine
--> 0 | waiting cleaned up
--> 0 | done dead false cannot resume dead coroutine
--> 0 | done dead false cannot resume dead coroutine
--> 0 | parked, cleaned up
--> 0 | done dead false cannot resume dead coroutine
--> 0 | false task.spawn: cannot resume dead coroutine
--> 0 | false task.cancel: expected the thread of a task, got a string
