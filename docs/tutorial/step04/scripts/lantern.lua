-- scripts/lantern.lua: lights up when the hero comes near, and burns down.
---@class lantern: Script
local lantern = {}

lantern.properties = { sprite = "lantern", seconds = 4, reach = 30 }


function lantern:start()
  self.lit, self.frame = false, 0
  bus.on("hero.moved", function(event)
    if not self.lit and self:is_near(event.payload) then
      self:burn()
    end
  end)
end


function lantern:is_near(place)
  local dx, dy = place.x - self.x, place.y - self.y
  return dx * dx + dy * dy < self.reach * self.reach
end


function lantern:burn()
  self.lit, self.frame = true, 1
  wait(self.seconds)
  self.lit, self.frame = false, 0
end


return lantern
