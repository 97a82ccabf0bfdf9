-- scripts/hero.lua: you. Walk with the arrow keys.
---@class hero: Script
local hero = {}

hero.properties = { sprite = "hero", speed = 60 }


function hero:update(dt)
  self.x = self.x + input.axis("left", "right") * self.speed * dt
  self.y = self.y + input.axis("up", "down") * self.speed * dt
end


return hero
