-- `every` calls at start + k * seconds, tells how late it is, and stops when the function returns false. Points of the
-- schedule that pass while a call waits are skipped.
-- row: B6
local script = {}


function script:start()
  local calls = 0
  task.every(0.5, function(late)
    calls = calls + 1
    print("call", calls, "late", late)
    if calls == 2 then
      wait(0.75)
    end
    return calls < 4
  end)
  local thread = task.every(0, function() print("each frame") end)
  task.delay(0.5, task.cancel, thread)
end


return script

--> 1 | each frame
--> 2 | each frame
--> 2 | call 1 late 0
--> 4 | call 2 late 0
--> 8 | call 3 late 0
--> 10 | call 4 late 0
