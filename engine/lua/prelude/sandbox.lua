-- The environment of one entity: the allow-list of what a script can reach.
-- Guarantee: nothing here leads to files, processes, bytecode, the registry, or a Python object; what a script changes
-- in a library table is seen by that entity only.

local prelude = ...
local home, create, wait = prelude.home, prelude.create, prelude.wait.wait

local _, guarded = ... -- there are limits

local error, assert, type, next, rawset, setmetatable = error, assert, type, next, rawset, setmetatable
local debug_getmetatable = debug.getmetatable

local sandbox = {
  on_class = nil, -- called with every table that a script gives a metatable
  on_raw = nil, -- function(table, key): a field is set past its metatable
  raised = nil, -- what `error` or `assert` raised last, where Lua does not leave it on the stack
  bounded = guarded, -- what could work for long is counted
  libraries = { time = prelude.face }, -- those that somebody uses; `files` makes them
}

local raise, insist = error, assert

-- Tail calls: LuaJIT blames the script all the same.
if jit then
  function raise(value, level)
    sandbox.raised = value
    return error(value, level)
  end

  function insist(value, ...)
    if not value then
      sandbox.raised = ...
    end
    return assert(value, ...)
  end
end

-- What stands in every environment, beside `wait`. The rest comes with its first use: libraries, and what is in `rare`.
local NAMES = {
  "assert", "error", "ipairs", "next", "pairs", "rawequal", "rawget", "rawlen", "select", "tonumber", "tostring", "type",
  "_VERSION", "unpack",
}
local VALUES = {
  insist, raise, ipairs, next, pairs, rawequal, rawget, rawlen, select, tonumber, tostring, type, _VERSION, unpack,
}

-- Methods of strings (`name:upper()`) are those of the library; no script can reach the table itself.
local methods = debug_getmetatable("")
methods.__metatable = false
function methods.__index(_, name)
  methods.__index = prelude.standard.methods(methods)
  return methods.__index[name]
end


-- What is calm is told of new fields by a metatable.
function sandbox.rouse()
  local stir = prelude.scheduler.stir
  if stir then
    stir()
  end
end


--- A copy of a library for one entity, or a function that few scripts call.
function sandbox.copy_for(entity, name)
  local library = sandbox.libraries[name] or prelude.files.library(name)
  if type(library) ~= "table" then
    return library
  end
  local copy = name == "time" and home.time or {}
  for key, value in next, library do
    copy[key] = value
  end
  if name == "entity" then
    copy.id, copy.script = entity.id, entity.script
  elseif name == "time" then
    home.time = nil
  end
  local meta = debug_getmetatable(library)
  return meta and setmetatable(copy, meta) or copy
end


--- A global environment for `entity`. Library tables are copied when first used.
function sandbox.environment(entity)
  local env = home.env or create(0, 32) -- room as in `home`
  home.env = nil
  -- First: each tick looks for these, and what comes later may stand in another place than its own.
  env.wait, env.time = wait, true
  for i = 1, #NAMES do
    env[NAMES[i]] = VALUES[i]
  end
  env.time = nil
  local function find(_, name)
    if name == "_G" then
      rawset(env, "_G", env)
      prelude.rare.show(env)
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
