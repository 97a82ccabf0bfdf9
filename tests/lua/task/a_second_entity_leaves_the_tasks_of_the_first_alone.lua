-- Where entities share a state: the second one comes while, of the tasks of the first that wait for the next frame, one was
-- woken early and one was cancelled.
-- row: A6 C7
local script = {}


local function waiter(name)
  return task.spawn(function()
    wait()
    print(name)
    wait()
    print(name, "again")
  end)
end


function script:start()
  if self.child then
    return
  end
  wait()
  local early, cancelled = waiter("early"), waiter("cancelled")
  waiter("usual")
  task.spawn(early)
  task.cancel(cancelled)
  entity.spawn(entity.script, { child = true })
end


return script

--> 1 | early
--> 2 | usual
--> 2 | early again
--> 3 | usual again
