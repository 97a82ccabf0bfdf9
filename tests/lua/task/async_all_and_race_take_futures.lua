-- `async.all` and `async.race` wait for futures and functions; futures go on though the race is over.
-- row: E11
local script = {}

local function after(seconds, value)
  return function()
    wait(seconds)
    return value
  end
end


function script:start()
  local slow, fast = async.start(after(1, "slow")), async.start(after(0.25, "fast"))
  print(async.race({ slow = slow, fast = fast }))
  print(slow:status())
  local all = async.all({ slow, fast, after(0.25, "function") })
  print(all[1], all[2], all[3])
end


return script

--> 1 | fast fast
--> 1 | pending
--> 4 | slow fast function
