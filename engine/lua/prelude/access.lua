-- For Python: values of modules.

local prelude = ...

local access = {}


--- Values by module and word, as many at once as it likes.
function access.get(module, word, ...)
  if word then
    return prelude[module][word], access.get(...)
  end
end


function access.put(module, word, value)
  prelude[module][word] = value
end


return access
