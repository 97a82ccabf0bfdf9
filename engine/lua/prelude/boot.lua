-- Makes the table of the prelude's modules: a file is loaded when somebody first asks for its module.

local give = ... -- Python's: the function of a file of the prelude, or of a script's name and text; nothing where it has none

local load, assert, setmetatable, setfenv = load, assert, setmetatable, setfenv
local setupvalue, upvaluejoin = debug.setupvalue, debug.upvaluejoin

-- A table with room for so many items and so many fields, where Lua can make one.
local create = table.create or function() -- luacheck: ignore 143
  return {}
end

local prelude, proxies = create(0, 32), create(0, 16)
local at_home = false -- the first script has what is made for it

setmetatable(prelude, { __index = function(_, name)
  local made = assert(give(name), name)(prelude)
  prelude[name] = made
  return made
end })


local Later = { __index = function(proxy, word)
  local value = prelude[proxy[1]][word]
  proxy[word] = value
  return value
end }


--- Stands for the module `name`, whose file is loaded with the first word that somebody asks of it.
function prelude.later(name)
  local proxy = proxies[name]
  if not proxy then
    proxy = setmetatable({ name }, Later)
    proxies[name] = proxy
  end
  return proxy
end


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


-- For Python: values of modules by module and word, as many at once as it likes.
local function get(module, word, ...)
  if word then
    return prelude[module][word], get(...)
  end
end


local function put(module, word, value)
  prelude[module][word] = value
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

return prelude, get, put
