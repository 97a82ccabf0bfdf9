-- What makes a script's functions, for all entities of a state that have the same text.

local prelude = ...

local setfenv = setfenv

local sharing = {}


--- What gives the function of a text for an environment; nothing where that cannot be.
function sharing.compile(text, name)
  return prelude.script.load((setfenv and "" or "local _ENV = ... ") .. "return function(...) " .. text .. "\nend", name, {})
end


return sharing
