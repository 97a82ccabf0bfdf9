-- Notices what the script of a calm state does to `self` that no look at `self.x` and `self.y` finds.
-- Guarantee: the script cannot tell, and whoever only moves pays nothing for it.
--
-- Lua asks the metatable of `self` only about fields that have no value yet: one that is shown from now on is such a field.

local prelude = ...
local sandbox = prelude.sandbox

local error, pcall, rawequal, rawget, rawset, type = error, pcall, rawequal, rawget, rawset, type
local get_class, rouse = debug.getmetatable, sandbox.rouse

local watch = {}

local fields, shown = { "x", "y" }, {} -- that the world is told of; all but the place
local class, script -- the metatable of `self`, and the script's table, where Lua looks for what `self` has not

for _, name in ipairs(prelude.screen.FIELDS) do
  fields[#fields + 1], shown[name] = name, true
end


-- The script gives a value to a field that has none.
local function note(self, key, value)
  if shown[key] or not script and (key == "x" or key == "y") then
    rouse()
  elseif key == nil or key ~= key then
    local _, problem = pcall(rawset, self, key, value)
    error(problem, 2)
  end
  rawset(self, key, value)
end


-- True where to read such a field of `self` gives no number or boolean but what is set there.
local function bare(made)
  if type(made) ~= "table" or get_class(made) ~= nil then
    return false
  end
  for i = 1, #fields do
    local value = made[fields[i]]
    if value ~= nil and (type(value) == "number" or type(value) == "boolean") then
      return false
    end
  end
  return true
end


--- Have `scheduler.stir` called when `self` shows something new. False where its fields cannot just be read.
function watch.begin(self)
  local found = get_class(self)
  local made = found and rawget(found, "__index")
  if not bare(made) then
    return false
  end
  class, script = found, made
  class.__newindex = note
  return true
end


--- The same for who reads nothing of `self`, or only what is set there. Tells also of a place where there was none.
function watch.begin_raw(self)
  class, script = get_class(self), nil
  class.__newindex = note
end


--- True for a field of `self` that a window shows.
function watch.shows(name)
  return shown[name]
end


function watch.stop()
  class.__newindex = nil
end


--- A script gives `value` a metatable, which may do anything when a field is read.
function sandbox.on_class(value)
  if rawequal(value, script) then
    rouse()
  end
end


return watch
