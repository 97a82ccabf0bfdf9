-- The environment of one entity: the allow-list of what a script can reach.
-- Guarantee: nothing here leads to files, processes, bytecode, the registry, or a Python object; what a script changes
-- in a library table is seen by that entity only.

local prelude = ...
local home, budget = prelude.home, prelude.budget
local refusals, overruns = prelude.later("refusals"), prelude.later("overruns")

local _, guarded = ... -- there are limits

local error, type, next, rawset, setmetatable = error, type, next, rawset, setmetatable
local pcall, xpcall = pcall, xpcall
local raw_getmetatable, raw_setmetatable = getmetatable, setmetatable
local debug_getmetatable, rawget = debug.getmetatable, rawget

local sandbox = {
  base = {}, -- the functions that stand in every environment
  on_class = nil, -- called with every table that a script gives a metatable
  on_raw = nil, -- function(table, key): a field is set past its metatable
  raised = nil, -- what `error` or `assert` raised last, where Lua does not leave it on the stack
  bounded = guarded, -- what could work for long is counted
}

local BASE = {
  "assert", "error", "ipairs", "next", "pairs", "pcall", "rawequal", "rawget", "rawlen", "rawset", "select", "tonumber",
  "tostring", "type", "xpcall", "_VERSION",
}

-- Libraries come into being with their first use.
local libraries = setmetatable({ time = prelude.face }, { __index = function(libraries, name)
  local file = prelude.files.libraries[name]
  if file then
    local made = prelude[file].library(name)
    libraries[name] = made
    return made
  end
end })
sandbox.libraries = libraries


local function pick(from, names)
  local made = {}
  for i = 1, #names do
    made[names[i]] = from[names[i]]
  end
  return made
end
sandbox.pick = pick


--- Functions of a file that is loaded with the first call of one. Tail calls: errors blame the script all the same.
function sandbox.on_first_call(file, names)
  local made = {}
  for i = 1, #names do
    local name = names[i]
    made[name] = function(...)
      return prelude[file][name](...)
    end
  end
  return made
end


local base = pick(_G, BASE)
sandbox.base = base
base.unpack = unpack

-- Tail calls: LuaJIT blames the script all the same.
if jit then
  local raw_assert = assert

  function base.error(value, level)
    sandbox.raised = value
    return error(value, level)
  end

  function base.assert(value, ...)
    if not value then
      sandbox.raised = ...
    end
    return raw_assert(value, ...)
  end
end

-- Methods of strings (`name:upper()`) are those of the library; no script can reach the table itself.
local methods = raw_getmetatable("")
methods.__metatable = false
function methods.__index(_, name)
  methods.__index = prelude.standard.methods(methods)
  return methods.__index[name]
end


-- What is calm is told of new fields by a metatable.
local function rouse()
  local stir = prelude.scheduler.stir
  if stir then
    stir()
  end
end
sandbox.rouse = rouse


function base.getmetatable(value)
  if type(value) ~= "table" then
    return nil
  end
  return raw_getmetatable(value)
end


function base.setmetatable(value, meta)
  local fits = type(value) == "table" and (meta == nil or type(meta) == "table" and rawget(meta, "__gc") == nil)
  local current = fits and debug_getmetatable(value)
  if not fits or current and rawget(current, "__metatable") ~= nil then
    return refusals.no_metatable(value, meta)
  elseif sandbox.on_class then
    sandbox.on_class(value)
  end
  return raw_setmetatable(value, meta)
end


if guarded then
  local function checked(ok, ...)
    if not ok then
      overruns.pass(nil, (...))
    end
    return ok, ...
  end

  function base.pcall(fn, ...)
    return checked(pcall(fn, ...))
  end

  function base.xpcall(fn, handler, ...)
    if type(handler) ~= "function" then
      return refusals.no_handler(handler)
    end
    -- After a stop no hook runs in a handler, so the script's own must not run either.
    return checked(xpcall(fn, function(problem)
      if budget.stopping then
        return problem
      end
      return handler(problem)
    end, ...))
  end
end

-- What few scripts call.
local RARE = { "load", "collectgarbage", "rawset", jit and "loadstring" }
for name, fn in next, sandbox.on_first_call("loading", RARE) do
  base[name] = fn
end


--- A copy of a library for one entity.
function sandbox.copy_for(entity, name)
  local library = libraries[name]
  if not library then
    return nil
  end
  local copy = name == "time" and home.new_time() or {}
  for key, value in next, library do
    copy[key] = value
  end
  if name == "entity" then
    copy.id, copy.script = entity.id, entity.script
  end
  local meta = debug_getmetatable(library)
  return meta and setmetatable(copy, meta) or copy
end


--- A global environment for `entity`. Library tables are copied when first used.
function sandbox.environment(entity)
  local env = home.new_env()
  for name, value in next, base do
    env[name] = value
  end
  local function find(_, name)
    if name == "_G" then
      rawset(env, "_G", env)
      return env
    end
    local copies = entity.copies
    local copy = copies and copies[name] or sandbox.copy_for(entity, name)
    if copy then
      rawset(env, name, copy)
    end
    return copy
  end
  return setmetatable(env, { __index = find, __metatable = false })
end


return sandbox
