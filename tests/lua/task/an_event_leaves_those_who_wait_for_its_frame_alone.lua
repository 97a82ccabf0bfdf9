-- What waits for the frame at whose start an event comes runs in it, goes on for ever, and what the handler waits for is the next.
-- row: B1
local script = {}


function script:start()
  for i = 1, 2 do
    task.spawn(function()
      while time.frame < 4 do
        wait()
        print("loop", i)
      end
    end)
  end
  shared.watch("door", function(event)
    print("heard", event.payload)
    wait()
    print("waited")
  end)
  wait(0.25)
  shared.set("door", "open")
end


return script

--> 1 | loop 1
--> 1 | loop 2
--> 2 | heard open
--> 2 | loop 1
--> 2 | loop 2
--> 3 | waited
--> 3 | loop 1
--> 3 | loop 2
--> 4 | loop 1
--> 4 | loop 2
