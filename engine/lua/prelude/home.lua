-- What an entity has in every tick. That of the first one is made beside what runs there.

local prelude = ...
local create = prelude.create

local FIELDS = 8 -- of `self` for which there is room from the start
local NAMES = 32 -- of an environment, as it will have so many

local home = {}

local env = nil
local first_self, first_env, first_time = nil, nil, nil

if not jit then -- which has tables and their fields in different places
  first_self, first_env, first_time = create(0, FIELDS), create(0, NAMES), {}
end


-- It becomes what the script of the first entity calls `_ENV`.
function home.upvalue()
  return env
end


--- A new `self`.
function home.new_self()
  local made = first_self or create(0, FIELDS)
  first_self = nil
  return made
end


--- A new environment, with nothing in it.
function home.new_env()
  local made = first_env or create(0, NAMES)
  first_env = nil
  return made
end


--- The table that is an entity's copy of the library `time`.
function home.new_time()
  local made = first_time or {}
  first_time = nil
  return made
end


return home
