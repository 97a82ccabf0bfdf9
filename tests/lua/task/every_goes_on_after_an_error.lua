-- A failing call is a problem and the schedule goes on, until it fails too often in a row.
-- row: B8
local script = {}


function script:start()
  local calls = 0
  task.every(0.25, function()
    calls = calls + 1
    if calls == 2 then
      print("a good call")
    else
      error("call " .. calls)
    end
  end)
end


return script

--> 1 | ! @:13: call 1
--> 2 | a good call
--> 12 | ! @: "task.every at @:8" failed 10 times in a row and is paused until its script reloads
