-- The first entity of a state: what it has in every tick is made beside what runs there.

local prelude = ...
local create = prelude.create

local upvaluejoin = debug.upvaluejoin

local FIELDS = 8 -- of `self` for which there is room from the start
local NAMES = 32 -- of an environment, as it will have so many

-- Where LuaJIT has tables and their fields is another matter.
local home = {
  entity = {
    id = 0, script = "", seed = 0, self = create(0, FIELDS), env = create(0, NAMES), hooks = {},
    class = nil, properties = nil, methods = nil, born = nil,
  }, -- until somebody is it; then nil
  time = {}, -- until a script uses it; then nil
}

local env = home.entity.env


--- Gives the script of the first entity its environment: what stands here as `env`, first of all.
function home.env(fn)
  return env and upvaluejoin(fn, 1, home.env, 1)
end


if jit then
  function home.env(fn)
    setfenv(fn, env)
  end
end


return home
