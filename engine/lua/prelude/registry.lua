-- Tells what scripts can reach, for editors and for checking scripts without running them.

local prelude = ...

local registry = {}

local type, next, pairs = type, next, pairs
local getinfo, getmetatable = debug.getinfo, debug.getmetatable
local unpack = table.unpack or unpack


-- Number of parameters of a function; -1 where there may be any number, or where it is C and nobody knows.
local function arity(fn)
  local info = getinfo(fn, "u")
  if not info or info.isvararg or getinfo(fn, "S").what == "C" then
    return -1
  end
  return info.nparams or -1
end


local function note(found, prefix, values)
  for name, value in next, values do
    if type(name) == "string" then
      local kind = type(value)
      found[#found + 1] = prefix .. name
      found[#found + 1] = kind
      found[#found + 1] = kind == "function" and arity(value) or 0
    end
  end
end


--- Every name of a script's environment ("wait", "bus.on"): name, type, number of parameters (-1: any), and so on.
function registry.names()
  local found = {}
  local env = {}
  prelude.environment({ id = 0, script = "", env = env })
  for name in pairs(prelude.files.libraries) do
    local library = env[name]
    local meta = type(library) == "table" and getmetatable(library)
    if type(library) == "table" then
      note(found, name .. ".", library)
    end
    if meta and type(meta.__index) == "table" then
      note(found, name .. ".", meta.__index)
    end
  end
  note(found, "", env)
  return unpack(found)
end


return registry
