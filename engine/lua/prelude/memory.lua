-- What this state uses.

local memory = {}

local collect, version = collectgarbage, _VERSION

local REST = 64 -- kibibytes


--- Bytes that Lua has allocated, garbage included.
function memory.bytes()
  return collect("count") * 1024
end


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


--- Let go of all garbage now.
function memory.collect()
  collect("collect")
end


return memory
