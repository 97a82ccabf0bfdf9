-- scripts/spark.lua: lies on the ground until the hero picks it up.
---@class spark: Script
local spark = {}

spark.properties = { reach = 12, glow = 2 }


function spark:start()
  bus.on("hero.moved", function(event)
    local dx, dy = event.payload.x - self.x, event.payload.y - self.y
    if dx * dx + dy * dy < self.reach * self.reach then
      bus.send(event.sender, "spark.found")
      entity.destroy()
    end
  end)
  while true do
    tween(self, 0.5, { glow = 4 }, "in_out_sine")
    tween(self, 0.5, { glow = 2 }, "in_out_sine")
  end
end


function spark:update()
  draw.circle(self.x, self.y, self.glow, "#ffe68c")
end


return spark
