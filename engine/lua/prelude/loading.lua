-- `load`, `collectgarbage` and `rawset`, as far as scripts get them.
-- Guarantee: no bytecode is loaded, and a chunk cannot pass for one of the engine's.

local prelude = ...

local budget, sandbox = prelude.budget, prelude.sandbox
local charge = prelude.charging.charge

local error, type, select, concat = error, type, select, table.concat
local match, gsub, format = string.match, string.gsub, string.format
local raw_load, raw_collect, raw_set = load, collectgarbage, rawset

local JUMPS = { "%f[%w_]and%f[^%w_]", "%f[%w_]or%f[^%w_]", "%f[%w_]elseif%f[^%w_]" }
local BYTES = 4 -- of source that are compiled in the time of an instruction
local PIECE = 20 -- instructions that a piece of it costs, as one of the engine's own functions may give them for ever
local MOST_JUMPS = 20000 -- that Lua links in one list, which it goes along for each: `Scripts` has the same bound
local LONG = 3 * MOST_JUMPS -- bytes in which there may be so many

local loading = {}


local function tangled(text)
  if not budget.hook then
    return false
  end
  local n = 0
  for i = 1, #JUMPS do
    n = n + select(2, gsub(text, JUMPS[i], "%0"))
  end
  return n > MOST_JUMPS
end


--- Compile text (never bytecode) into the calling entity's environment, or into `env`.
function loading.load(chunk, name, _, env)
  if type(chunk) == "function" then
    local parts, part = {}, chunk()
    while part ~= nil and part ~= "" do
      if type(part) ~= "string" and type(part) ~= "number" then
        return nil, "reader function must return a string"
      end
      charge(PIECE)
      parts[#parts + 1] = part
      part = chunk()
    end
    chunk = concat(parts)
  elseif type(chunk) ~= "string" then
    error("bad argument #1 to 'load' (function expected, got " .. type(chunk) .. ")", 2)
  end
  if name ~= nil and type(name) ~= "string" and type(name) ~= "number" then
    error("bad argument #2 to 'load' (string expected, got " .. type(name) .. ")", 2)
  elseif type(name) == "string" and match(name, "^[@=][?%[]") then
    name = "=chunk" -- no script may call itself what the engine's own chunks are called
  end
  charge(#chunk / BYTES)
  if #chunk > LONG and tangled(chunk) then
    return nil, format("load: the text has more than %d \"and\", \"or\" and \"elseif\", too many to compile; "
      .. "load it in parts", MOST_JUMPS)
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


--- Set a field past its metatable, and tell who has to know.
function loading.rawset(value, key, ...)
  if type(value) ~= "table" then
    error("bad argument #1 to 'rawset' (table expected, got " .. type(value) .. ")", 2)
  elseif select("#", ...) == 0 then
    error("bad argument #3 to 'rawset' (value expected)", 2)
  end
  prelude.scheduler.rouse()
  if sandbox.on_raw then
    sandbox.on_raw(value, key)
  end
  return raw_set(value, key, (...))
end


return loading
