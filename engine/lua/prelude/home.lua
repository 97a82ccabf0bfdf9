-- What an entity has in every tick. That of the first one is made beside what runs there.

local prelude = ...
local create = prelude.create

local FIELDS = 8 -- of `self` for which there is room from the start
local NAMES = 32 -- of an environment, as it will have so many

-- Where LuaJIT has tables and their fields is another matter.
local home = {
  self = create(0, FIELDS), env = create(0, NAMES), time = {}, -- until they are used; then nil
}

local env = nil


-- It becomes what the script of the first entity calls `_ENV`.
function home.upvalue()
  return env
end


return home
