-- A wait works across pcall, xpcall, metamethods and iterators.
-- row: C5
local script = {}


function script:start()
  print(pcall(function() wait(0.25) return "pcall" end))
  print(xpcall(function() wait(0.25) error("caught", 0) end, function(problem) return problem .. " and handled" end))
  local object = setmetatable({}, {
    __index = function(_, key) wait(0.25) return key end,
    __add = function(_, n) wait(0.25) return n end,
    __call = function(_, value) wait(0.25) return value end,
  })
  print(object.field, object + 2, object("called"))
  local function each(_, i)
    wait(0.25)
    return i < 2 and i + 1 or nil
  end
  for i in each, nil, 0 do
    print("iterator", i)
  end
end


return script

--> 1 | true pcall
--> 2 | false caught and handled
--> 5 | field 2 called
--> 6 | iterator 1
--> 7 | iterator 2
