-- What this state uses.

local memory = {}

local collect = collectgarbage


--- Bytes that Lua has allocated, garbage included.
function memory.bytes()
  return collect("count") * 1024
end


-- LuaJIT's collector takes so many small steps that a state among many is cold again at each; few big ones make an
-- event a fifth cheaper.
if jit then
  collect("setstepmul", 1000)
end


--- Let go of all garbage now.
function memory.collect()
  collect("collect")
end


return memory
