-- Notices what the script of a calm state does to `self` that no look at `self.x` and `self.y` finds.
-- Guarantee: the script cannot tell, and whoever only moves pays nothing for it.
--
-- Lua asks the metatable of `self` only about fields that have no value yet: one that is shown from now on is such a field.

local prelude = ...

local error, next, pcall, rawget, rawset, type = error, next, pcall, rawget, rawset, type
local find, get_class = string.find, debug.getmetatable

local watch = {
  -- What a window shows, beside the place; `engine/display.py` has the same, in this order. A text, as a table of names
  -- would be made in each state.
  shown = " sprite frame layer angle scale flip alpha visible text light color ",
  class = nil, script = nil, -- the metatable of `self`, and the script's table, where Lua looks for what `self` has not
}


--- True where `key` is one of these names, before and behind each of which there is a space.
local function lists(names, key)
  return type(key) == "string" and find(names, " " .. key .. " ", 1, true)
end
watch.lists = lists


-- The script gives a value to a field that has none.
local function note(self, key, value)
  if lists(watch.shown, key) then
    local me = prelude.calm.first
    local _ = me and me.hooks.update and prelude.standing or prelude.telling -- which bring the pump, if there is none yet
    prelude.scheduler.rouse()
  elseif not watch.script and (key == "x" or key == "y") then
    prelude.scheduler.rouse()
  elseif key == nil or key ~= key then
    local _, problem = pcall(rawset, self, key, value)
    error(problem, 2)
  end
  rawset(self, key, value)
end
watch.note = note


--- Have `scheduler.stir` called when `self` shows something new. False where to read such a field of `self` may give a number
-- or a boolean that is not set there.
function watch.begin(self)
  local class = get_class(self)
  local script = class and rawget(class, "__index")
  if type(script) ~= "table" or get_class(script) ~= nil then
    return false
  end
  for name, value in next, script do
    if (type(value) == "number" or type(value) == "boolean") and (name == "x" or name == "y" or lists(watch.shown, name)) then
      return false
    end
  end
  watch.class, watch.script, class.__newindex = class, script, note
  return true
end


return watch
