-- `wait_until` asks once per frame; `wait_event` gives the event; both give up in time.
local script = {}


function script:start()
  local ready = false
  task.delay(0.5, function() ready = true end)
  print("ready", task.wait_until(function() return ready end), time.now)
  print("timeout", task.wait_until(function() return false end, 0.5), time.now)
  print("at once", task.wait_until(function() return true end), time.now)
  task.delay(0.25, bus.emit, "news", 7)
  print("event", task.wait_event("news").payload, time.now)
  print("no event", task.wait_event("news", 0.5), time.now)
  print("not even now", task.wait_event("news", 0), time.now)
end


return script

--> 3 | ready true 0.75
--> 5 | timeout false 1.25
--> 5 | at once true 1.25
--> 6 | event 7 1.5
--> 8 | no event nil 2
--> 9 | not even now nil 2.25
