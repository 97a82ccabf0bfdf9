-- A failing child ends the body where it waits and its siblings; a failing body ends the children.
-- row: C8
local script = {}

local function sibling()
  task.finally(function() print("sibling cancelled") end)
  wait(5)
end


function script:start()
  print(pcall(task.group, function(g)
    task.finally(function() print("body cancelled") end)
    g.spawn(sibling)
    g.spawn(function() wait(0.25) error("from a child", 0) end)
    wait(1)
    print("never")
  end))
  print(pcall(task.group, function(g)
    g.spawn(sibling)
    wait(0.25)
    error("from the body", 0)
  end))
  task.group(function(g)
    g.spawn(sibling)
    wait(0.25)
    g.cancel()
    print("never")
  end)
  print("a cancelled group is left without an error")
end


return script

--> 1 | body cancelled
--> 1 | sibling cancelled
--> 1 | false from a child
--> 2 | sibling cancelled
--> 2 | false from the body
--> 3 | sibling cancelled
--> 3 | a cancelled group is left without an error
