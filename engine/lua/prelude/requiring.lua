-- `require`: libraries of the scripts' folder, and host modules.
-- Guarantee: each is loaded once per entity, and a script sees where libraries require each other in a circle.

local prelude = ...
local scheduler, entity = prelude.scheduler, prelude.entity

local error, type, rawequal, pcall = error, type, rawequal, pcall
local concat = table.concat

local requiring = {} -- stands in `modules` for a library that is being loaded


--- Load a library of the scripts' folder, or a host module; each is loaded once per entity.
function requiring.require(name)
  if type(name) ~= "string" then
    error("require: expected a name, got " .. (name == nil and "nil" or "a " .. type(name)), 2)
  end
  local me = scheduler.current.entity
  local loaded = me.modules[name]
  if loaded == nil then
    if not entity.ask then
      error("require: this state has no world, so no libraries and no host modules", 2)
    end
    local box = { entity.ask("require", me.id, name) }
    if not box[1] then
      error(box[2], 2)
    end
    loaded = box[2] == "host" and prelude.host.open(name, box) or requiring.load(me, name, box[3], box[4])
    me.modules[name] = loaded
  elseif rawequal(loaded, requiring) then
    error("require: these libraries require each other: " .. requiring.cycle(me.loading, name), 2)
  end
  return loaded
end


--- "a → b → a": from the first time that `name` is being loaded to the second.
function requiring.cycle(loading, name)
  local from = 1
  while loading[from] ~= name do
    from = from + 1
  end
  return concat(loading, " → ", from) .. " → " .. name
end


--- The value of a library's text; `true` where it returns nothing.
function requiring.load(me, name, chunk, text)
  local fn, problem = prelude.compile(text, "@" .. chunk, me.env)
  if not fn then
    error(problem, 0)
  end
  local loading = me.loading or {}
  me.loading = loading
  loading[#loading + 1] = name
  me.modules[name] = requiring
  local ok, result = pcall(fn, name)
  me.modules[name] = nil
  loading[#loading] = nil
  if not ok then
    error(result, 0)
  end
  return result == nil and true or result
end


return requiring
