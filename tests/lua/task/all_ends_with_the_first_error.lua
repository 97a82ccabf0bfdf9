-- A child that fails cancels the others, and its error goes on in the parent, where `pcall` catches it as it was raised.
-- row: C8
local script = {}


function script:start()
  print(pcall(task.all, {
    function() wait(0.5) error("boom") end,
    function() task.finally(function() print("cancelled") end) wait(5) end,
  }))
  local thrown = {}
  local ok, caught = pcall(task.all, { function() error(thrown) end, function() print("never started") end })
  print(ok, rawequal(caught, thrown))
end


return script

--> 2 | cancelled
--> 2 | false @:8: boom
--> 2 | false true
