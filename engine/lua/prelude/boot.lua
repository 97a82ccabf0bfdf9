-- Makes the table of the prelude's modules: a file is loaded when somebody first asks for its module.

local give = ... -- Python's: the function of a file of the prelude, or of a script's name and text; nothing where it has none

local load, assert, setmetatable, select, setfenv = load, assert, setmetatable, select, setfenv
local setupvalue = debug.setupvalue

local prelude, proxies = {}, {}

setmetatable(prelude, { __index = function(_, name)
  local made = assert(give(name), name)(prelude)
  prelude[name] = made
  return made
end })


--- Stands for the module `name`, whose file is loaded with the first word that somebody asks of it.
function prelude.later(name)
  local proxy = proxies[name]
  if not proxy then
    proxy = setmetatable({}, { __index = function(_, word)
      local value = prelude[name][word]
      proxy[word] = value
      return value
    end })
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
  setupvalue(fn, 1, env)
  return fn
end


-- For Python: values of modules by module and word, as many at once as it likes.
local function get(module, word, ...)
  if word then
    return prelude[module][word], get(...)
  end
end


local function put(module, word, value, ...)
  prelude[module][word] = value
  if select("#", ...) > 0 then
    return put(...)
  end
end


return prelude, get, put
