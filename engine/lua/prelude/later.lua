-- Stands for modules that few states need, so that who may need one can name it in its header.

local prelude = ...

local setmetatable = setmetatable

local proxies = {}

local Later = { __index = function(proxy, word)
  local value = prelude[proxy[1]][word]
  proxy[word] = value
  return value
end }


--- Stands for the module `name`, whose file is loaded with the first word that somebody asks of it.
return function(name)
  local proxy = proxies[name]
  if not proxy then
    proxy = setmetatable({ name }, Later)
    proxies[name] = proxy
  end
  return proxy
end
