-- Where C stands between a wait and its task, the error says which function, at the line of the wait, and can be caught.
-- row: C5
local script = {}


function script:start()
  table.sort({ 2, 1 }, function(a, b)
    print(pcall(wait, 1))
    return a < b
  end)
  print(pcall(string.gsub, "a", "a", function() task.wait_until(print) end))
  table.sort({ 2, 1 }, function(a, b)
    coroutine.wrap(function()
      print("inside a coroutine:", pcall(wait, 1))
    end)()
    return a < b
  end)
  string.gsub("a", "a", function()
    wait(0.25)
  end)
end


return script

--> 0 | false wait: cannot wait inside table.sort, which is a C function; wait before or after the call
--> 0 | false @:11: task.wait_until: cannot wait inside string.gsub, which is a C function; wait before or after the call
--> 0 | inside a coroutine: false wait: cannot wait inside table.sort, which is a C function; wait before or after the call
--> 0 | ! @:19: wait: cannot wait inside string.gsub, which is a C function; wait before or after the call
