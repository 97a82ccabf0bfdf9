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
  end
  return prelude.settle(fn, env)
end


--- Gives this environment to the function of a script.
function prelude.settle(fn, env)
  if setfenv then
    return setfenv(fn, env)
  end
  if not at_home then
    at_home = true
    upvaluejoin(fn, 1, prelude.home.upvalue, 1)
  end
  setupvalue(fn, 1, env)
  return fn
end


prelude.create = create

return prelude
