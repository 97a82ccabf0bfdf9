-- A task that yields by itself is resumed by spawn, defer and delay, with values; a thread is as good as a function.
-- row: C6
local script = {}


function script:start()
  local thread = task.spawn(function(first)
    print("got", first)
    print("got", coroutine.yield())
    print("got", coroutine.yield())
    print("got", coroutine.yield())
    return "end"
  end, 1)
  print(task.status(thread), coroutine.status(thread))
  print(thread == task.spawn(thread, 2, nil))
  task.defer(thread, 3)
  task.delay(0.5, thread, 4)
  wait(1)
  print(task.status(thread), coroutine.status(thread))

  local made = coroutine.create(function(...)
    print("made by coroutine.create:", ...)
    wait(0.25)
    print("and may wait")
  end)
  task.spawn(made, "a", nil)
end


return script

--> 0 | got 1
--> 0 | parked suspended
--> 0 | got 2 nil
--> 0 | true
--> 0 | got 3
--> 2 | got 4
--> 4 | done dead
--> 4 | made by coroutine.create: a nil
--> 5 | and may wait
