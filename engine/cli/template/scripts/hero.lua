-- You: walk with the arrow keys. Tells everybody where you are, ten times a second.

---@class hero: Script
local hero = {}

hero.properties = { sprite = "hero" }

local SPEED = 60 -- change it and save while the game runs


function hero:start()
  task.every(0.1, function()
    bus.emit("hero.moved", { x = self.x, y = self.y })
  end)
end


function hero:update(dt)
  self.x = self.x + input.axis("left", "right") * SPEED * dt
  self.y = self.y + input.axis("up", "down") * SPEED * dt
end


return hero
