-- Makes the table of the prelude's modules: a file is loaded when somebody first asks for its module. Those of the pump
-- come together.

local give = ... -- Python's: the function of a file of the prelude, or of a script's name and text; nothing where it has none

local load, assert, setmetatable, setfenv = load, assert, setmetatable, setfenv
local setupvalue, upvaluejoin = debug.setupvalue, debug.upvaluejoin

-- Makes a table with room for so many items and so many fields, where Lua can.
local create = table.create or give("table")() -- luacheck: ignore 143

local prelude = create(0, 16)
local at_home = false -- the first script has what is made for it

setmetatable(prelude, { __index = function(_, name)
  local made = assert(give(name), name)(prelude, give, name)
  prelude[name] = made
  return made
end })


--- What `load` gives for a text of the scripts' folder. Python has each compiled once for all states.
function prelude.compile(text, name, env)
  local fn = give(name, text)
  if not fn then
    return load(text, name, "t", env)
  elseif setfenv then
    return setfenv(fn, env)
  end
  if not at_home then
    at_home = true
    upvaluejoin(fn, 1, prelude.home.upvalue, 1)
  end
  setupvalue(fn, 1, env)
  return fn
end


-- Lua's own library leaves holes, into which what is made next would be scattered: they are full as long as this lives.
local function fill()
  local made = {}
  for i = 1, 4 do
    made[i] = { { x = i, y = i, n = i }, { x = i, y = i, n = i, dt = i, now = i } }
  end
  made[5] = { create(0, 32), create(0, 32) }
  return made
end
prelude.filling = not jit and fill()


prelude.create = create

return prelude
