-- Notices what the script of a calm state does to `self` that no look at `self.x` and `self.y` finds.
-- Guarantee: the script cannot tell, and whoever only moves pays nothing for it.
--
-- Lua asks the metatable of `self` only about fields that have no value yet: one that is shown from now on is such a field.

local prelude = ...
local sandbox = prelude.sandbox

local error, next, pcall, rawget, rawset, type = error, next, pcall, rawget, rawset, type
local get_class = debug.getmetatable

-- What a window shows, beside the place, by name; `engine/display.py` has the same, in this order.
local shown = {
  sprite = 1, frame = 2, layer = 3, angle = 4, scale = 5, flip = 6, alpha = 7, visible = 8, text = 9, light = 10,
  color = 11,
}

local watch = {
  shown = shown,
  class = nil, script = nil, -- the metatable of `self`, and the script's table, where Lua looks for what `self` has not
}


-- The script gives a value to a field that has none.
local function note(self, key, value)
  if shown[key] then
    local _ = prelude.telling -- which brings the pump, if there is none yet
    sandbox.rouse()
  elseif not watch.script and (key == "x" or key == "y") then
    sandbox.rouse()
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
    if (shown[name] or name == "x" or name == "y") and (type(value) == "number" or type(value) == "boolean") then
      return false
    end
  end
  watch.class, watch.script, class.__newindex = class, script, note
  return true
end


return watch
