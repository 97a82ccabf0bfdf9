-- `require`: libraries of the scripts' folder, and host modules.
-- Guarantee: each is loaded once per entity, and a script sees where libraries require each other in a circle.

local prelude = ...
local scheduler, entity = prelude.scheduler, prelude.entity

local error, type, pcall = error, type, pcall
local getmetatable, setmetatable = debug.getmetatable, setmetatable
local concat, insert, format = table.concat, table.insert, string.format

local requiring = {}

-- What stands in `modules` while a library is loaded: its name, the task that loads it, and what that was loading already.
local Loading = {}


-- "a → b → a": from the first time that the running task began to load `name` to now; nil where another task did.
local function circle(name)
  local names, loading = { name }, scheduler.current.loading
  while loading do
    insert(names, 1, loading.name)
    if loading.name == name then
      return concat(names, " → ")
    end
    loading = loading.outer
  end
end


-- A library may wait while it is loaded. Whoever wants it meanwhile is told; one whose task has ended is loaded anew.
local function refuse_or_forget(me, name, loading)
  local round = circle(name)
  if round then
    error("require: these libraries require each other: " .. round, 3)
  elseif loading.task.state ~= "done" then
    error(format("require: %q is still being loaded by another task, which waits in it; let it wait in a function that it "
      .. "gives, not while it loads", name), 3)
  end
  me.modules[name] = nil
end


--- Load a library of the scripts' folder, or a host module; each is loaded once per entity.
function requiring.require(name)
  if type(name) ~= "string" then
    error("require: expected a name, got " .. (name == nil and "nil" or "a " .. type(name)), 2)
  end
  local me = scheduler.current.entity
  local loaded = me.modules[name]
  if type(loaded) == "table" and getmetatable(loaded) == Loading then
    loaded = refuse_or_forget(me, name, loaded)
  end
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
  end
  return loaded
end


--- The value of a library's text; `true` where it returns nothing.
function requiring.load(me, name, chunk, text)
  local fn, problem = prelude.script.load(text, "@" .. chunk, me.env)
  if not fn then
    error(problem, 0)
  end
  local task = scheduler.current
  local loading = setmetatable({ name = name, task = task, outer = task.loading }, Loading)
  me.modules[name], task.loading = loading, loading
  local ok, result = pcall(fn, name)
  me.modules[name], task.loading = nil, loading.outer
  if not ok then
    error(result, 0)
  end
  return result == nil and true or result
end


return requiring
