-- Something that burns: a lamp, the camp fire, a lit window.
-- It flickers all the time, and once in a while it almost goes out.
local lamp = {}

lamp.properties = { sprite = "lamp", glow = 50, reach = 50 }   -- in pixels

local strength = 1.0   -- try 0.4 or 2.0, and save: every lamp follows


function lamp:start()
  while true do
    self:shine(math.random(0, 2), 1.0)
    wait(0.06 + math.random() * 0.2)
    if math.random() < 0.01 then
      self:gutter()
    end
  end
end


function lamp:gutter()
  for _ = 1, 3 do
    self:shine(3, 0.6)
    wait(0.08)
    self:shine(2, 0.8)
    wait(0.12)
  end
end


function lamp:shine(frame, brightness)
  self.frame = frame
  self.reach = self.glow * brightness * strength + math.random(-2, 2)
end


-- What is drawn lasts for one frame, so this is done in each.
function lamp:update()
  draw.light(self.x, self.y, self.reach, "#f0a050")
end


return lamp
