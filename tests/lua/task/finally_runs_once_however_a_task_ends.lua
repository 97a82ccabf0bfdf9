-- Clean-ups run when the task returns, fails or is cancelled.
-- row: C7
local script = {}


function script:start()
  for _, how in ipairs({ "returns", "fails", "is cancelled" }) do
    local thread = task.spawn(function()
      task.finally(function() print("it", how) end)
      wait(0.5)
      if how == "fails" then
        error("on purpose")
      end
    end)
    if how == "is cancelled" then
      task.delay(0.75, task.cancel, thread)
      task.delay(0.25, function() task.cancel(thread) end)
    end
  end
end


return script

--> 1 | it is cancelled
--> 2 | it returns
--> 2 | it fails
--> 2 | ! @:12: on purpose
