-- What this state uses.

local memory = {}

local collect, version = collectgarbage, jit and "LuaJIT" or _VERSION

local REST = 64 -- kibibytes


--- Bytes that Lua has allocated, garbage included.
function memory.bytes()
  return collect("count") * 1024
end


-- LuaJIT's collector takes so many small steps that a state among many is cold again at each; few big ones make an
-- event a fifth cheaper.
if version == "LuaJIT" then
  collect("setstepmul", 1000)
end


--- Let the collector work, but not before so much more is made as an entity needs to come alive: what is there stays.
function memory.begin()
  if version == "LuaJIT" then
    collect("restart", -1)
  elseif version == "Lua 5.4" then
    collect("restart")
    collect("step", -REST)
  else
    collect("restart")
    local size, speed = collect("param", "stepsize", REST * 1024), collect("param", "stepmul", 1)
    collect("step") -- which is a short one now, and the next comes so many bytes later
    collect("param", "stepsize", size)
    collect("param", "stepmul", speed)
  end
end


--- Let go of all garbage now.
function memory.collect()
  collect("collect")
end


return memory
