-- Notices what the script of a calm state does to `self` that no look at `self.x` and `self.y` finds.
-- Guarantee: the script cannot tell, and whoever only moves pays nothing for it.
--
-- Lua asks the metatable of `self` only about fields that have no value yet: one that is shown from now on is such a field.

local prelude = ...
local sandbox, shown = prelude.sandbox, prelude.screen.places

local error, pcall, rawequal, rawget, rawset, type = error, pcall, rawequal, rawget, rawset, type
local get_class, rouse = debug.getmetatable, sandbox.rouse

local watch = {}

local class, script -- the metatable of `self`, and the script's table, where Lua looks for what `self` has not


-- The script gives a value to a field that has none.
local function note(self, key, value)
  if shown[key] or key == "x" or key == "y" then
    rouse()
  elseif key == nil or key ~= key then
    local _, problem = pcall(rawset, self, key, value)
    error(problem, 2)
  end
  rawset(self, key, value)
end


--- Have `scheduler.stir` called when `self` shows something new. False where to read `self.x` could be more than to read
-- what is set there, or nothing.
function watch.begin(self)
  local known = get_class(self)
  local made = known and rawget(known, "__index")
  if type(made) ~= "table" or get_class(made) ~= nil or made.x ~= nil or made.y ~= nil then
    return false
  end
  class, script = known, made
  class.__newindex = note
  return true
end


--- The same for who reads nothing of `self`, or only what is set there. Tells also of a place where there was none.
function watch.begin_raw(self)
  class, script = get_class(self), nil
  class.__newindex = note
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
