-- Fills the environments with what the engine gives to scripts beside its libraries: wait, tween, print, require.

local prelude = ...
local sandbox, scheduler, entity = prelude.sandbox, prelude.scheduler, prelude.entity

local error, type, rawequal, select, load, pcall = error, type, rawequal, select, load, pcall
local concat = table.concat

local library = { most_lines = 1 / 0 }

local base = sandbox.base

base.wait = prelude.wait.wait
base.tween = sandbox.on_first_call("tween", { "tween" }).tween
base.print = sandbox.on_first_call("log", { "print" }).print


--- Give the state to a world: `ask` is Python's, for questions.
function library.adopt(ask, fixed_step)
  entity.ask, prelude.pump.fixed_step = ask, fixed_step
end


local function ask(word, ...)
  local me = scheduler.current.entity
  return entity.ask(word, me.id, ...)
end


function prelude.reading.ask(number)
  return select(2, entity.ask("shape", 0, number))
end


--- Load a library of the scripts' folder, or a host module; each is loaded once per entity.
function base.require(name)
  if type(name) ~= "string" then
    error("require: expected a name, got " .. (name == nil and "nil" or "a " .. type(name)), 2)
  end
  local me = scheduler.current.entity
  local loaded = me.modules[name]
  if loaded == nil then
    if not entity.ask then
      error("require: this state has no world, so no libraries and no host modules", 2)
    end
    local box = { ask("require", name) }
    if not box[1] then
      error(box[2], 2)
    end
    loaded = box[2] == "host" and prelude.host.open(name, box) or library.load(me, name, box[3], box[4])
    me.modules[name] = loaded
  elseif rawequal(loaded, library) then
    error("require: these libraries require each other: " .. library.cycle(me.loading, name), 2)
  end
  return loaded
end


--- "a → b → a": from the first time that `name` is being loaded to the second.
function library.cycle(loading, name)
  local from = 1
  while loading[from] ~= name do
    from = from + 1
  end
  return concat(loading, " → ", from) .. " → " .. name
end


--- The value of a library's text; `true` where it returns nothing.
function library.load(me, name, chunk, text)
  local fn, problem = load(text, "@" .. chunk, "t", me.env)
  if not fn then
    error(problem, 0)
  end
  local loading = me.loading or {}
  me.loading = loading
  loading[#loading + 1] = name
  me.modules[name] = library
  local ok, result = pcall(fn, name)
  me.modules[name] = nil
  loading[#loading] = nil
  if not ok then
    error(result, 0)
  end
  return result == nil and true or result
end


return library
