-- An error after a wait is the inner coroutine's; dead, running and waiting coroutines answer as Lua's own.
-- row: C4
local script = {}


function script:start()
  local failing = coroutine.create(function()
    wait(0.25)
    error({ code = 7 })
  end)
  local ok, problem = coroutine.resume(failing)
  print(ok, problem.code, coroutine.status(failing))
  print(coroutine.resume(failing))

  local running
  running = coroutine.create(function()
    print("itself", (coroutine.resume(running)))
    wait(0.5)
  end)
  task.spawn(function()
    wait(0.25)
    print("meanwhile", coroutine.status(running), coroutine.resume(running))
  end)
  print(coroutine.resume(running))
  print(coroutine.status(running))

  local wrapped = coroutine.wrap(function() wait(0.25) error("inside", 0) end)
  print(select("#", pcall(wrapped)), (pcall(wrapped)))
  print(pcall(coroutine.resume, "x"))
  print(pcall(coroutine.create, 1))
end


return script

--> 1 | false 7 dead
--> 1 | false cannot resume dead coroutine
--> 1 | itself false
--> 2 | meanwhile normal false cannot resume non-suspended coroutine
--> 3 | true
--> 3 | dead
--> 4 | 2 false
--> 4 | false bad argument #1 to 'resume' (coroutine expected)
--> 4 | false bad argument #1 to 'create' (function expected)
