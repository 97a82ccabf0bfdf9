-- Lets go of what no state needs of Lua's own library, which is a tenth of a bare VM's memory. It comes last; what is
-- calm has no collection that would free it.

local lua, loaded, registry = _G, package.loaded, debug.getregistry()

lua.package, loaded.io, loaded.os, loaded.package = { loaded = loaded }, nil, { clock = loaded.os.clock }, nil
lua.io, lua.os, lua.python, lua.require, registry._PRELOAD = nil, nil, nil, nil, nil

if registry["FILE*"] then
  registry["FILE*"].__gc = nil -- the process keeps its files
  registry["FILE*"], registry._IO_input, registry._IO_output = nil, nil, nil
end


return {}
