-- A speck of light in the grass: glows up, goes out, and glows again somewhere near.
local firefly = {}

firefly.properties = { sprite = "firefly", layer = 600, alpha = 0 }


function firefly:init()
  self.home = { x = self.x, y = self.y }
end


function firefly:start()
  while true do
    wait(math.random() * 4)
    self.x = self.home.x + math.random(-14, 14)
    self.y = self.home.y + math.random(-10, 10)
    self:glow(1.6, math.random() * 2 * math.pi)
  end
end


function firefly:glow(seconds, angle)
  local age = 0
  while age < seconds do
    local dt = wait()
    age = age + dt
    self.x = self.x + math.cos(angle) * 6 * dt
    self.y = self.y + math.sin(angle) * 6 * dt
    self.alpha = math.max(0, math.sin(math.pi * age / seconds))
    draw.light(self.x, self.y, 14 * self.alpha, "#5c9f76")
  end
end


return firefly
