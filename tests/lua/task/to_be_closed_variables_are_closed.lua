-- The end of a task closes what it had marked `<close>`, before its clean-ups; waiting there is an error of its own.
-- row: C7
-- on: lua54 lua55
local script = {}

local function closing(name)
  return setmetatable({}, { __close = function()
    print(name, "closed")
    if name == "waiting" then
      wait()
    end
  end })
end


function script:start()
  local thread = task.spawn(function()
    task.finally(function() print("clean-up") end)
    local _ <close> = closing("cancelled")
    wait(5)
  end)
  task.cancel(thread)
  task.spawn(function()
    local _ <close> = closing("failed")
    error("on purpose")
  end)
  thread = task.spawn(function()
    local _ <close> = closing("waiting")
    wait(5)
  end)
  task.cancel(thread)
end


return script

--> 0 | cancelled closed
--> 0 | clean-up
--> 0 | failed closed
--> 0 | waiting closed
--> 0 | ! @:25: on purpose
--> 0 | ! @:10: wait: closing a task cannot wait, it must end within the frame; use task.spawn(function() ... end) for what takes longer
