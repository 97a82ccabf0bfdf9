-- The library `os`: the world's time in the place of the machine's, so that two runs of a game are the same. `time` stands in
-- `face`.

local prelude = ...
local clock = prelude.clock

local error, type, floor, format = error, type, math.floor, string.format

local os = {}


function os.clock()
  return clock.now
end


function os.time()
  return floor(clock.now)
end


function os.difftime(later, earlier)
  local wrong = type(later) ~= "number" and 1 or type(earlier) ~= "number" and 2
  if wrong then
    error(format("bad argument #%d to 'difftime' (number expected, got %s)", wrong, type(wrong == 1 and later or earlier)), 2)
  end
  return later - earlier
end


local time = {}


function time.library()
  return os
end


return time
