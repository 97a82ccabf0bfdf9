-- Uncaught, the error of a child is one problem, at the child's line.
-- row: C8 C10
local script = {}


function script:start()
  task.group(function(g)
    g.spawn(function()
      wait(0.25)
      error("in the child")
    end)
  end)
end


return script

--> 1 | ! @:10: in the child
