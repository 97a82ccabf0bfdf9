-- scripts/hero.lua: you. Walk with the arrow keys, pick up sparks, give them to lanterns.
---@class hero: Script
local hero = {}

hero.properties = { sprite = "hero", speed = 60, sparks = 0 }


function hero:start()
  task.every(0.1, function()
    bus.emit("hero.moved", { x = self.x, y = self.y })
  end)
  bus.handle("hero.spark", function()
    if self.sparks == 0 then
      return false
    end
    self.sparks = self.sparks - 1
    return true
  end)
end


-- Events that were sent to this entity alone.
function hero:on_event(event)
  if event.name == "spark.found" then
    self.sparks = self.sparks + 1
    sprite.flash("#ffe68c")
  end
end


function hero:update(dt)
  self.x = self.x + input.axis("left", "right") * self.speed * dt
  self.y = self.y + input.axis("up", "down") * self.speed * dt
  draw.text(self.sparks, 6, 4, "#ffe68c", "screen")
end


return hero
