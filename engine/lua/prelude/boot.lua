-- Makes the table of the prelude's modules: a file is loaded when somebody first asks for its module. Those of the pump
-- come together.

local give = ... -- Python's: the function of a file of the prelude, or of a script's name and text; nothing where it has none

local assert, setmetatable = assert, setmetatable

-- Makes a table with room for so many items and so many fields, where Lua can.
local create = table.create or give("table")() -- luacheck: ignore 143

local prelude = create(0, 16)
prelude.create, prelude.give = create, give

setmetatable(prelude, { __index = function(_, name)
  local made = assert(give(name), name)(prelude, give, name)
  prelude[name] = made
  return made
end })

return prelude
