-- A library that takes `coroutine.resume` into a local on its first line behaves the same.
-- row: C3
local resume, create, wrap, yield = coroutine.resume, coroutine.create, coroutine.wrap, coroutine.yield
local script = {}


function script:start()
  local co = create(function(a)
    wait(0.25)
    local b = yield(a + 1)
    wait(0.25)
    return b + 1
  end)
  print(resume(co, 1))
  print(resume(co, 10))
  print(wrap(function() wait(0.25) return "wrapped" end)())
end


return script

--> 1 | true 2
--> 2 | true 11
--> 3 | wrapped
