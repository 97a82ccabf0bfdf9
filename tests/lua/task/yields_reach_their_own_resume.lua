-- Every value a script yields reaches its resume, nils at the end included, right before and after a wait.
-- row: C2
local script = {}

local function count(...)
  return select("#", ...), ...
end


function script:start()
  local co = coroutine.create(function(...)
    print("started with", count(...))
    print("resumed with", count(coroutine.yield(1, nil, nil)))
    wait(0.25)
    print("resumed with", count(coroutine.yield(nil)))
    wait()
    return nil, nil
  end)
  print("yielded", count(coroutine.resume(co, nil, nil)))
  print("yielded", count(coroutine.resume(co, "x", nil)))
  print("returned", count(coroutine.resume(co)))
  print("dead", count(coroutine.resume(co)))

  -- Nothing that looks like a request is one.
  local imitation = coroutine.wrap(function()
    for _, value in ipairs({ true, 0.25, {}, "wait", task, wait }) do
      coroutine.yield(value)
      coroutine.yield(value, true)
    end
    coroutine.yield()
    return "end"
  end)
  local values = 0
  repeat
    local value = imitation()
    values = values + 1
  until value == "end"
  print(values, "values at once")
end


return script

--> 0 | started with 2 nil nil
--> 0 | yielded 4 true 1 nil nil
--> 0 | resumed with 2 x nil
--> 1 | yielded 2 true nil
--> 1 | resumed with 0
--> 2 | returned 3 true nil nil
--> 2 | dead 2 false cannot resume dead coroutine
--> 2 | 14 values at once
