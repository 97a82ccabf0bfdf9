-- A failure is raised in each task that waits; where nobody does, it is a problem; a cancelled future says so.
-- row: E11
local script = {}

local function fail()
  wait(0.25)
  error("boom", 0)
end


function script:start()
  local future = async.start(fail)
  task.spawn(function() print("other", pcall(future.await, future)) end)
  print("self", pcall(future.await, future))
  async.start(function() wait(0.25) error("nobody waits") end)
  local at_once = async.start(function() error("awaited in the same tick", 0) end)
  print(pcall(at_once.await, at_once))

  local cancelled = async.start(function()
    task.finally(function() print("cleaned up") end)
    wait(5)
  end)
  task.delay(0.5, function() cancelled:cancel() cancelled:cancel() end)
  print(pcall(function() cancelled:await() end))
  print(pcall(function() future.await() end))
end


return script

--> 1 | other false boom
--> 1 | self false boom
--> 1 | false awaited in the same tick
--> 2 | ! @:15: nobody waits
--> 3 | cleaned up
--> 3 | false @:24: future:await: it was cancelled
--> 3 | false @:25: future:await: expected a future; call it with a colon, future:await()
