-- `task.cancel` and `coroutine.close` end coroutines that are no tasks, on every version of Lua.
-- row: C7 C4
local script = {}


function script:start()
  local fresh = coroutine.create(print)
  task.cancel(fresh)
  task.cancel(fresh)
  print(coroutine.status(fresh), coroutine.resume(fresh))

  local itself = coroutine.create(function()
    task.cancel(coroutine.running())
    print("never")
  end)
  print(coroutine.resume(itself))

  local waiting = coroutine.create(function()
    wait(0.5)
    print("never")
  end)
  task.delay(0.25, function()
    print(pcall(coroutine.close, waiting))
    task.cancel(waiting)
  end)
  print(coroutine.resume(waiting))
  print(coroutine.status(waiting))

  local closed = task.spawn(function()
    task.finally(function() print("a closed task cleans up") end)
    wait(5)
  end)
  print(coroutine.close(closed), coroutine.status(closed), coroutine.close(closed))
  print(pcall(function() coroutine.close(nil) end))
end


return script

--> 0 | dead false cannot resume dead coroutine
--> 0 | false the coroutine was cancelled
--> 1 | false cannot close a normal coroutine
--> 2 | false the coroutine was cancelled
--> 2 | dead
--> 2 | a closed task cleans up
--> 2 | true dead true
--> 2 | false @:34: bad argument #1 to 'close' (coroutine expected)
