-- `load` and `collectgarbage`, as far as scripts get them.
-- Guarantee: no bytecode is loaded, and a chunk cannot pass for one of the engine's.

local prelude = ...

local error, type, tostring, match, concat = error, type, tostring, string.match, table.concat
local raw_load, raw_collect = load, collectgarbage

local loading = {}


--- Compile text (never bytecode) into the calling entity's environment, or into `env`.
function loading.load(chunk, name, _, env)
  if type(chunk) == "function" then
    local parts, part = {}, chunk()
    while part ~= nil and part ~= "" do
      parts[#parts + 1] = tostring(part)
      part = chunk()
    end
    chunk = concat(parts)
  elseif type(chunk) ~= "string" then
    error("bad argument #1 to 'load' (function expected, got " .. type(chunk) .. ")", 2)
  end
  if type(name) == "string" and match(name, "^[@=][?%[]") then
    name = "=chunk" -- no script may call itself what the engine's own chunks are called
  end
  local fn, problem = raw_load(chunk, name or chunk, "t", env or prelude.scheduler.current.entity.env)
  return fn, problem
end
loading.loadstring = loading.load


--- Only `collectgarbage("count")`: kibibytes in use by this state.
function loading.collectgarbage(option)
  if option == "count" then
    return raw_collect("count")
  end
  error("collectgarbage: only \"count\" is available to scripts", 2)
end


return loading
