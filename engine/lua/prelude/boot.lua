-- Makes the table of the prelude's modules: a file is loaded when somebody first asks for its module.

local fetch = ... -- Python's: the file of that name, as a function or as bytecode

local load, assert, setmetatable, select, type = load, assert, setmetatable, select, type

local prelude, proxies = {}, {}

setmetatable(prelude, { __index = function(_, name)
  local file = assert(fetch(name), name)
  local made = (type(file) == "function" and file or assert(load(file, "=[tidelock]", "b")))(prelude)
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
