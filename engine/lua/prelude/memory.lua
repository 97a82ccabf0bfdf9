-- What this state uses.

local memory = {
  collect = collectgarbage, -- lets go of all garbage now; or tells with "count" how many kibibytes Lua has, garbage included
}

local collect, floor, create = collectgarbage, math.floor, table.create -- luacheck: ignore 143

local REST = 64 -- kibibytes that an entity needs to come alive
local SHARE = 1.5 -- of what is there: about as much more as Lua waits for after a collection


--- Let the collector work, but not before so much more is made: what is there stays.
function memory.begin()
  local rest = floor(collect("count") * SHARE)
  rest = rest > REST and rest or REST
  collect("restart")
  if not create then -- Lua 5.4
    collect("step", -rest)
  else
    local size, speed = collect("param", "stepsize", rest * 1024), collect("param", "stepmul", 1)
    collect("step") -- which is a short one now, and the next comes so many bytes later
    collect("param", "stepsize", size)
    collect("param", "stepmul", speed)
  end
end


if jit then
  -- Its collector takes so many small steps that a state among many is cold again at each; few big ones make an event a
  -- fifth cheaper.
  collect("setstepmul", 1000)

  function memory.begin()
    collect("restart", -1)
  end
end


return memory
