-- The environment of `entity`: the allow-list of what a script can reach. For the first entity this is a part of what makes
-- the state, for any other one a function.
-- luacheck: read globals entity

local prelude = ...
local home, sandbox = prelude.home, prelude.sandbox

local assert, error, ipairs, next, pairs, rawequal = assert, error, ipairs, next, pairs, rawequal
local rawget, rawlen, select, setmetatable = rawget, rawlen, select, setmetatable
local tonumber, tostring, type, unpack = tonumber, tostring, type, unpack

local env = entity.env

-- First: each tick looks for these, and what comes later may stand in another place than its own.
env.wait, env.time = prelude.wait.wait, true
env.assert, env.error, env.ipairs, env.next, env.pairs, env.rawequal = assert, error, ipairs, next, pairs, rawequal
env.rawget, env.rawlen, env.select, env.tonumber, env.tostring = rawget, rawlen, select, tonumber, tostring
env.type, env.unpack, env._VERSION = type, unpack, _VERSION
if jit then
  env.assert, env.error = sandbox.insist, sandbox.raise
end
env.time = nil


-- What else there is comes with its first use.
local function find(_, name)
  if name == "time" and home.time then -- which most scripts use, and many nothing else
    env.time, home.time = setmetatable(home.time, prelude.face), nil
    return env.time
  end
  return prelude.files.find(entity, name)
end


setmetatable(env, { __index = find, __metatable = false })
