-- Idioms of scripts written for Roblox's task library run unchanged.
-- row: C6
local script = {}

-- A signal as such libraries write it: `Wait` yields, `Fire` goes on with the thread.
local Signal = {}
Signal.__index = Signal

function Signal.new()
  return setmetatable({ waiting = {} }, Signal)
end

function Signal:Wait()
  table.insert(self.waiting, coroutine.running())
  return coroutine.yield()
end

function Signal:Fire(...)
  local waiting = self.waiting
  self.waiting = {}
  for _, thread in ipairs(waiting) do
    task.spawn(thread, ...)
  end
end


function script:start()
  local signal = Signal.new()
  task.spawn(function()
    print("signal", signal:Wait())
    print("signal", signal:Wait())
  end)
  signal:Fire("first", 1)
  task.delay(0.5, signal.Fire, signal, "second", nil)

  task.delay(0.25, coroutine.running(), "myself")
  print("resumed with", coroutine.yield())

  task.defer(coroutine.running())
  coroutine.yield()
  print("after a defer of itself")

  local elapsed = task.wait(0.3)
  print("elapsed", elapsed)

  local loop = task.spawn(function()
    while task.wait(0.25) do
      print("tick")
    end
  end)
  task.wait(0.5)
  task.cancel(loop)
  print("cancelled", coroutine.status(loop))

  local thread = task.delay(5, function() print("never") end)
  task.cancel(thread)
  task.spawn(function()
    local ok, problem = coroutine.resume(coroutine.create(function()
      task.wait(0.25)
      error("inner", 0)
    end))
    print(ok, problem)
  end)
end


return script

--> 0 | signal first 1
--> 1 | resumed with myself
--> 1 | after a defer of itself
--> 2 | signal second nil
--> 3 | elapsed 0.5
--> 4 | tick
--> 5 | cancelled dead
--> 6 | false inner
