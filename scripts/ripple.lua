-- A glint that runs over the sea, now here, now there.
local map = require("map")

local ripple = {}

ripple.properties = { sprite = "ripple", layer = -900, visible = false }


function ripple:start()
  while true do
    wait(math.random() * 3)
    self:run()
  end
end


function ripple:run()
  self.x, self.y = math.random(map.width), math.random(map.height)
  if map.at(self.x, self.y) ~= "~" then
    return                          -- that was land; try again later
  end
  self.visible = true
  for frame = 0, 3 do
    self.frame = frame
    self.x = self.x - 1
    wait(0.3)
  end
  self.visible = false
end


return ripple
