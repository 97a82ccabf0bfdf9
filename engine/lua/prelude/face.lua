-- The metatable of the library `time`: the clock as scripts see it, made beside it.

local prelude = ...

local error, tostring, format = error, tostring, string.format


local function refuse(_, key)
  error(format("time.%s cannot be set; the world's clock is set by world.tick and world.time_scale", tostring(key)), 2)
end


return { __index = prelude.clock, __newindex = refuse, __metatable = false }
