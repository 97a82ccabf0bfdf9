-- spawn, defer and delay pass every argument, nils at the end included, and return the thread.
-- row: C6
local script = {}

local function count(name)
  return function(...)
    print(name, select("#", ...), ...)
  end
end


function script:start()
  print(type(task.spawn(count("spawn"), nil, 2, nil)))
  print(type(task.defer(count("defer"), nil)))
  print(type(task.delay(0.5, count("delay"), 1, nil, nil)))
  local callable = setmetatable({}, { __call = function(_, a, b) print("called with", a, b) end })
  task.spawn(callable, 1, 2)
end


return script

--> 0 | spawn 3 nil 2 nil
--> 0 | thread
--> 0 | thread
--> 0 | thread
--> 0 | called with 1 2
--> 0 | defer 1 nil
--> 2 | delay 3 1 nil nil
