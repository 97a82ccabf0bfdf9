-- The libraries `time` and `os`: the world's time in the place of the machine's, so that two runs of a game are the same.

local prelude = ...
local clock = prelude.clock

local error, type, tostring, setmetatable = error, type, tostring, setmetatable
local floor, format = math.floor, string.format

local libraries = { os = {} }

libraries.time = setmetatable({}, {
  __index = clock,
  __newindex = function(_, key)
    error(format("time.%s cannot be set; the world's clock is set by world.tick and world.time_scale", tostring(key)), 2)
  end,
  __metatable = false,
})


function libraries.os.clock()
  return clock.now
end


function libraries.os.time()
  return floor(clock.now)
end


function libraries.os.difftime(later, earlier)
  local wrong = type(later) ~= "number" and 1 or type(earlier) ~= "number" and 2
  if wrong then
    error(format("bad argument #%d to 'difftime' (number expected, got %s)", wrong, type(wrong == 1 and later or earlier)), 2)
  end
  return later - earlier
end


local time = {}


--- The library of that name.
function time.library(name)
  return libraries[name]
end


return time
