-- Lies there and twinkles until the player is near enough to pick it up.
local map = require("map")

local ember = {}

ember.properties = { sprite = "ember", glow = 16, reach = 11 }


function ember:start()
  bus.on("player.moved", function(event)
    local player = event.payload
    if map.distance(self.x, self.y, player.x, player.y) < self.reach then
      bus.send(event.sender, "ember.found")
      sound.play("chime")
      entity.destroy()
    end
  end)

  self.frame = math.random(0, 3)
  while true do
    self.frame = (self.frame + 1) % 4
    self.glow = self.frame == 2 and 24 or 16
    wait(self.frame == 3 and 0.6 or 0.14)
  end
end


function ember:update()
  draw.light(self.x, self.y, self.glow, "#da8046")
end


return ember
