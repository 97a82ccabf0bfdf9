-- `update` and its like say what to do instead.
-- row: C11
local script = {}


function script:update()
  if not self.done then
    self.done = true
    task.spawn(function() wait() print("this works") end)
    wait(1)
  end
end


function script:late_update()
  if not self.late then
    self.late = true
    task.wait_event("never")
  end
end


function script:fixed_update()
  if not self.fixed then
    self.fixed = true
    coroutine.yield()
  end
end


return script

--> 1 | ! @:26: fixed_update yielded; only a task can wait: task.spawn(function() ... end)
--> 1 | ! @:10: wait: update cannot wait, it must end within the frame; use task.spawn(function() ... end) for what takes longer
--> 1 | ! @:18: task.wait_event: late_update cannot wait, it must end within the frame; use task.spawn(function() ... end) for what takes longer
--> 2 | this works
