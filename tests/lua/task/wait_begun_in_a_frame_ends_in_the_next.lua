-- Whatever ran before it in the frame, a wait that begins in a frame never ends in the same.
-- row: B1
local script = {}

local function waits(name)
  return function()
    local began = time.frame
    wait()
    print(name, time.frame - began)
  end
end


function script:start()
  bus.on("news", waits("first handler"))
  bus.on("news", waits("second handler"))
  while time.frame < 4 do
    if time.frame == 1 then
      task.spawn(waits("child"))
      bus.emit("news")
    elseif time.frame == 2 then
      task.delay(0.5, waits("timer"))
      task.delay(0, waits("delayed"))
    end
    local began = time.frame
    wait()
    print("loop", time.frame - began)
  end
end


return script

--> 1 | loop 1
--> 2 | child 1
--> 2 | loop 1
--> 2 | first handler 1
--> 2 | second handler 1
--> 3 | loop 1
--> 4 | delayed 1
--> 4 | loop 1
--> 5 | timer 1
