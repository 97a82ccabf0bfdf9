-- Which libraries an entity has, and copies of those that it is likely to use, made ahead.

local prelude = ...
local sandbox = prelude.sandbox

local next, rawget, gmatch, concat = next, rawget, string.gmatch, table.concat
local files, libraries, copy_for = sandbox.files, sandbox.libraries, sandbox.copy_for

local copies = {}


--- Make copies ahead, of libraries that `entity` is likely to use: those that a text names. Its script cannot tell.
function copies.prepare(entity, text)
  local made = {}
  for name in gmatch(text, "%a+") do
    if files[name] and not made[name] and (name ~= "entity" or entity.id > 0) then
      made[name] = copy_for(entity, name)
    end
  end
  entity.copies = made
end


--- The names of the libraries that `entity` has used, one after the other.
function copies.used(entity)
  local names, n = {}, 0
  for name in next, libraries do
    if rawget(entity.env, name) ~= nil then
      n = n + 1
      names[n] = name
    end
  end
  return concat(names, " ")
end


return copies
