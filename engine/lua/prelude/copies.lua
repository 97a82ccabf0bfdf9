-- Which libraries an entity has, and copies of those that it is likely to use, made ahead.

local prelude = ...

local next, rawget, rawset = next, rawget, rawset
local find, gmatch, concat = string.find, string.gmatch, table.concat
local files, libraries, copy_for = prelude.files.libraries, prelude.files.made, prelude.files.copy_for

local LOOKING = { "_G", "_ENV", "load", "require" } -- what a script says that may see which globals there are

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


--- Put the copies into the environment, where they are found sooner, unless a script of that `text` may look through it.
function copies.place(entity, text)
  for i = 1, #LOOKING do
    if find(text, LOOKING[i], 1, true) then
      return
    end
  end
  for name, copy in next, entity.copies do
    if rawget(entity.env, name) == nil then
      rawset(entity.env, name, copy)
    end
  end
end


--- Forget what was made ahead: the libraries are not what they were.
function copies.forget(entity)
  for name, copy in next, entity.copies or {} do
    if rawget(entity.env, name) == copy then
      rawset(entity.env, name, nil)
    end
  end
  entity.copies = nil
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
