-- Tells the world what a window shows of an entity: the fields of `self` that have other values than before.
-- Guarantee: nothing of a script runs meanwhile, no metamethod either.

local prelude = ...

local FIRST = 18 -- the number of the operation that tells of the first field; those of the commands are below

local screen = {
  HEAD = 32 + FIRST - 1, -- what such an operation begins with, without 256 times the entity and the field's place
}

local rawequal, gmatch = rawequal, string.gmatch
local get_class, set_class = debug.getmetatable, debug.setmetatable

-- Names of the fields, by their places.
local FIELDS = {}
for name in gmatch(prelude.watch.shown, "%a+") do
  FIELDS[#FIELDS + 1] = name
end
screen.FIELDS = FIELDS

local COLOR = #FIELDS


--- Gives a number back, and of anything else but nil nothing that is equal to it; of NaN neither. `tonumber` looks at
-- fewer lines of memory than `type`, but on LuaJIT it takes the numbers of C for some.
screen.as_number = tonumber
if jit then
  function screen.as_number(value)
    return type(value) == "number" and value or nil
  end
end


-- Loads what tells the world with the first field.
local function tell(...)
  tell = prelude.telling.tell
  return tell(...)
end


--- Tell what has changed besides the place; gives x and y.
-- The fields are read while `self` has no class: so each is just read, and only what is set in `self` itself is found.
function screen.look(spot)
  local self, seen = spot.self, spot.seen
  local class = get_class(self)
  set_class(self, nil)
  local x, y, sprite, text, light = self.x, self.y, self.sprite, self.text, self.light
  if not seen and sprite == nil and text == nil and light == nil then
    set_class(self, class)
    return x, y
  end
  local frame, layer, angle, scale, flip = self.frame, self.layer, self.angle, self.scale, self.flip
  local alpha, visible, color = self.alpha, self.visible, self.color
  set_class(self, class)
  if not seen then
    seen = { nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil }
    spot.seen, spot.shown = seen, true
  end
  if sprite ~= seen[1] then tell(spot, seen, 1, sprite) end
  if frame ~= seen[2] then tell(spot, seen, 2, frame) end
  if layer ~= seen[3] then tell(spot, seen, 3, layer) end
  if angle ~= seen[4] then tell(spot, seen, 4, angle) end
  if scale ~= seen[5] then tell(spot, seen, 5, scale) end
  if flip ~= seen[6] then tell(spot, seen, 6, flip) end
  if alpha ~= seen[7] then tell(spot, seen, 7, alpha) end
  if visible ~= seen[8] then tell(spot, seen, 8, visible) end
  if text ~= seen[9] then tell(spot, seen, 9, text) end
  if light ~= seen[10] then tell(spot, seen, 10, light) end
  local known = seen[COLOR]
  if (color ~= nil or known ~= nil) and not rawequal(color, known) then tell(spot, seen, COLOR, color) end
  return x, y
end


return screen
