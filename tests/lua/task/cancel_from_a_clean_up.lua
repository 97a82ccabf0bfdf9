-- A clean-up may cancel its own task, which is over, and others; it cannot wait; its errors are problems of their own.
-- row: C7
local script = {}


function script:start()
  local other = task.spawn(function()
    task.finally(function() print("other cleaned up") end)
    wait(1)
  end)
  task.spawn(function()
    local me = task.current()
    task.finally(function()
      task.cancel(me)
      task.cancel(other)
      print("cleaned up", task.status(me))
      wait()
    end)
  end)
  print("goes on")
end


return script

--> 0 | other cleaned up
--> 0 | cleaned up done
--> 0 | goes on
--> 0 | ! @:17: wait: finally cannot wait, it must end within the frame; use task.spawn(function() ... end) for what takes longer
