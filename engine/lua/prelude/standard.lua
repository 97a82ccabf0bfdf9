-- Lua's own libraries, as far as scripts get them.
-- Guarantee: nothing in here leads to the rest of them.

local prelude = ...
local budget = prelude.budget

local type, select, next, setmetatable = type, select, next, setmetatable
local pick = prelude.files.pick

local standard = {}

local STRING = {
  "byte", "char", "find", "format", "gmatch", "gsub", "len", "lower", "match", "pack", "packsize", "rep", "reverse",
  "sub", "unpack", "upper",
}
local QUICK = { "byte", "len", "sub" } -- of these, what no limit bounds
local UTF8 = { "char", "charpattern", "codepoint", "codes", "len", "offset" }
local TABLE = { "concat", "insert", "move", "pack", "remove", "sort", "unpack", "create" }
local MATH = {
  "abs", "acos", "asin", "atan", "atan2", "ceil", "cos", "cosh", "deg", "exp", "floor", "fmod", "frexp", "huge", "ldexp",
  "log", "log10", "max", "maxinteger", "min", "mininteger", "modf", "pi", "pow", "rad", "sin", "sinh", "sqrt", "tan",
  "tanh", "tointeger", "type", "ult",
}
local BIT = { "arshift", "band", "bnot", "bor", "bswap", "bxor", "lshift", "rol", "ror", "rshift", "tobit", "tohex" }


local quick = pick(string, QUICK)
local libraries = {
  string = pick(string, STRING),
  utf8 = utf8 and pick(utf8, UTF8),
  table = pick(table, TABLE),
  math = pick(math, MATH),
  bit = bit and pick(bit, BIT),
}
libraries.table.unpack = table.unpack or unpack
libraries.table.pack = table.pack or function(...)
  return { n = select("#", ...), ... }
end


-- The bounded functions that stand in the place of Lua's own, where there are limits; most scripts never need them.
local BOUNDED = {
  string = function() return prelude.strings end,
  utf8 = function() return prelude.strings.utf8 end,
  table = function() return prelude.tables end,
}


local random, scheduler = nil, nil -- with the first number that somebody draws

local function generator()
  if not random then
    random, scheduler = prelude.random, prelude.scheduler
  end
  local me = scheduler.current.entity
  local made = me.random
  if not made then
    made = random.new(me.seed)
    me.random = made
  end
  return made
end


function libraries.math.random(low, high)
  local made = generator()
  return random.draw(made, low, high)
end


function libraries.math.randomseed(seed)
  prelude.scheduler.current.entity.random = prelude.random.new(type(seed) == "number" and seed == seed and seed or 0)
end


--- What is found as a method of a string: `text:sub(1, 1)` is asked of a map in every frame, and needs nothing bounded.
-- The first other one lets `methods`, their metatable, give all.
function standard.methods(methods)
  local function all()
    methods.__index = prelude.files.library("string")
    return methods.__index
  end
  if not budget.hook then
    return all()
  end
  return setmetatable(quick, { __index = function(_, name)
    return all()[name]
  end })
end


--- The library of that name.
function standard.library(name)
  local made, functions = libraries[name], budget.hook and BOUNDED[name]
  for word, fn in next, functions and functions() or {} do
    if type(fn) == "function" and made[word] then
      made[word] = fn
    end
  end
  return made
end


return standard
