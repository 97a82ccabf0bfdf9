-- What this state uses.

local memory = {}

local collect = collectgarbage


--- Bytes that Lua has allocated, garbage included.
function memory.bytes()
  return collect("count") * 1024
end


return memory
