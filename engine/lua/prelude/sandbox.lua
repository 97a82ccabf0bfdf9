-- The environment of one entity: the allow-list of what a script can reach.
-- Guarantee: nothing here leads to files, processes, bytecode, the registry, or a Python object; what a script changes
-- in a library table is seen by that entity only.

local prelude = ...

local error, type, next, rawset, setmetatable, select = error, type, next, rawset, setmetatable, select
local raw_load, raw_getmetatable, raw_setmetatable = load, getmetatable, setmetatable
local debug_getmetatable, rawget, tostring = debug.getmetatable, rawget, tostring
local raw_collect, floor, match, concat = collectgarbage, math.floor, string.match, table.concat
local clock = prelude.clock

local sandbox = { base = {}, libraries = {} }

local BASE = {
  "assert", "error", "ipairs", "next", "pairs", "pcall", "rawequal", "rawget", "rawlen", "rawset", "select", "tonumber",
  "tostring", "type", "xpcall", "_VERSION",
}
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


local function pick(from, names)
  local made = {}
  for i = 1, #names do
    made[names[i]] = from[names[i]]
  end
  return made
end


local base, libraries = pick(_G, BASE), sandbox.libraries
sandbox.base = base
libraries.string = pick(string, STRING)
libraries.table = pick(table, TABLE)
libraries.math = pick(math, MATH)
libraries.utf8 = utf8 and pick(utf8, UTF8)
libraries.bit = bit and pick(bit, BIT)

libraries.table.unpack = table.unpack or unpack
libraries.table.pack = table.pack or function(...)
  return { n = select("#", ...), ... }
end
base.unpack = unpack

-- Methods of strings (`name:upper()`) find these; no script can reach the table itself.
raw_getmetatable("").__index = pick(string, STRING)
raw_getmetatable("").__metatable = false


function base.getmetatable(value)
  if type(value) ~= "table" then
    return nil
  end
  return raw_getmetatable(value)
end


function base.setmetatable(value, meta)
  if type(meta) == "table" and rawget(meta, "__gc") ~= nil then
    error("setmetatable: __gc is not available to scripts; use task.finally or the final hook", 2)
  elseif type(value) ~= "table" then
    error("bad argument #1 to 'setmetatable' (table expected, got " .. (value == nil and "nil" or type(value)) .. ")", 2)
  elseif type(meta) ~= "table" and meta ~= nil then
    error("bad argument #2 to 'setmetatable' (nil or table expected)", 2)
  end
  local current = debug_getmetatable(value)
  if current and rawget(current, "__metatable") ~= nil then
    error("cannot change a protected metatable", 2)
  end
  return raw_setmetatable(value, meta)
end


--- Compile text (never bytecode) into the calling entity's environment, or into `env`.
function base.load(chunk, name, _, env)
  if type(chunk) == "function" then
    local parts, part = {}, chunk()
    while part ~= nil and part ~= "" do
      parts[#parts + 1] = tostring(part)
      part = chunk()
    end
    chunk = concat(parts)
  end
  if type(name) == "string" and match(name, "^[@=][?%[]") then
    name = "=chunk" -- no script may call itself what the engine's own chunks are called
  end
  local fn, problem = raw_load(chunk, name or chunk, "t", env or prelude.scheduler.current.entity.env)
  return fn, problem
end
base.loadstring = _VERSION == "Lua 5.1" and base.load or nil


--- Only `collectgarbage("count")`: kibibytes in use by this state.
function base.collectgarbage(option)
  if option == "count" then
    return raw_collect("count")
  end
  error("collectgarbage: only \"count\" is available to scripts", 2)
end


-- The world's time instead of the machine's, so that two runs of a game are the same.
libraries.os = {
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


--- A global environment for `entity`. Library tables are copied when first used.
function sandbox.environment(entity)
  local env = {}
  for name, value in next, base do
    env[name] = value
  end
  local function find(_, name)
    if name == "_G" then
      rawset(env, "_G", env)
      return env
    end
    local library = libraries[name]
    if not library then
      return nil
    end
    local copy = {}
    for key, value in next, library do
      copy[key] = value
    end
    if name == "entity" then
      copy.id, copy.script = entity.id, entity.script
    end
    local meta = debug_getmetatable(library)
    if meta then
      setmetatable(copy, meta)
    end
    rawset(env, name, copy)
    return copy
  end
  return setmetatable(env, { __index = find, __metatable = false })
end


return sandbox
