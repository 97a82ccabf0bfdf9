-- What this state uses.

local memory = {
  collect = collectgarbage, -- lets go of all garbage now; or tells with "count" how many kibibytes Lua has, garbage included
}

local collect, version = collectgarbage, _VERSION

local REST = 64 -- kibibytes


--- Let the collector work, but not before so much more is made as an entity needs to come alive: what is there stays.
function memory.begin()
  collect("restart")
  if version == "Lua 5.4" then
    collect("step", -REST)
  else
    local size, speed = collect("param", "stepsize", REST * 1024), collect("param", "stepmul", 1)
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
