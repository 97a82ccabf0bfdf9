-- A thread may be deferred to several times: each time it is resumed once more, in order.
-- row: C6
local script = {}


function script:start()
  local consumer = task.spawn(function()
    while true do
      print("consumed", coroutine.yield())
    end
  end)
  task.delay(0.5, consumer, "e")
  task.defer(consumer, "a")
  task.defer(consumer, "b")
  task.delay(0.25, consumer, "c")
  task.delay(0.25, consumer, "d")
  wait(0.75)
  task.delay(0.25, consumer, "never")
  task.cancel(consumer)
end


return script

--> 0 | consumed a
--> 0 | consumed b
--> 1 | consumed c
--> 1 | consumed d
--> 2 | consumed e
