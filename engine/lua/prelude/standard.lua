-- Lua's own libraries, as far as scripts get them, and the world's time in the place of the machine's: two runs of a game
-- are the same.

local prelude = ...
local sandbox, scheduler, clock = prelude.sandbox, prelude.scheduler, prelude.clock
local random = prelude.later("random")

local error, type, tostring, select, setmetatable, next = error, type, tostring, select, setmetatable, next
local floor, format = math.floor, string.format
local pick = sandbox.pick

local standard = {}

local STRING = {
  "byte", "char", "find", "format", "gmatch", "gsub", "len", "lower", "match", "pack", "packsize", "rep", "reverse",
  "sub", "unpack", "upper",
}
local UTF8 = { "char", "charpattern", "codepoint", "codes", "len", "offset" }
local TABLE = { "concat", "insert", "move", "pack", "remove", "sort", "unpack", "create" }
local MATH = {
  "abs", "acos", "asin", "atan", "atan2", "ceil", "cos", "cosh", "deg", "exp", "floor", "fmod", "frexp", "huge", "ldexp",
  "log", "log10", "max", "maxinteger", "min", "mininteger", "modf", "pi", "pow", "rad", "sin", "sinh", "sqrt", "tan",
  "tanh", "tointeger", "type", "ult",
}
local BIT = { "arshift", "band", "bnot", "bor", "bswap", "bxor", "lshift", "rol", "ror", "rshift", "tobit", "tohex" }


-- Puts the bounded functions of `file` in the place of Lua's own, where there are limits.
local function bound(made, functions)
  for name, fn in next, sandbox.bounded and functions or {} do
    if type(fn) == "function" and made[name] then
      made[name] = fn
    end
  end
  return made
end


local make = {}


function make.string()
  return bound(pick(string, STRING), sandbox.bounded and prelude.strings)
end


function make.utf8()
  return bound(pick(utf8, UTF8), sandbox.bounded and prelude.strings.utf8)
end


function make.bit()
  return pick(bit, BIT)
end


function make.table()
  local made = pick(table, TABLE)
  made.unpack = table.unpack or unpack
  made.pack = table.pack or function(...)
    return { n = select("#", ...), ... }
  end
  return bound(made, sandbox.bounded and prelude.tables)
end


local function generator(me)
  local made = me.random
  if not made then
    made = random.new(me.seed)
    me.random = made
  end
  return made
end


function make.math()
  local made = pick(math, MATH)

  function made.random(low, high)
    return random.draw(generator(scheduler.current.entity), low, high)
  end

  function made.randomseed(seed)
    scheduler.current.entity.random = random.new(type(seed) == "number" and seed == seed and seed or 0)
  end

  return made
end


function make.os()
  return {
    clock = function()
      return clock.now
    end,
    time = function()
      return floor(clock.now)
    end,
    difftime = function(later, earlier)
      return later - earlier
    end,
  }
end


function make.time()
  return setmetatable({}, {
    __index = clock,
    __newindex = function(_, key)
      error(format("time.%s cannot be set; the world's clock is set by world.tick and world.time_scale", tostring(key)), 2)
    end,
    __metatable = false,
  })
end


--- The library of that name.
function standard.library(name)
  return make[name]()
end


return standard
