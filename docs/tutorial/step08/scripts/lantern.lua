-- scripts/lantern.lua: asks the hero for a spark, burns, and goes out by itself or in the wind.
---@class lantern: Script
local lantern = {}

lantern.properties = { sprite = "lantern", seconds = 20, reach = 30 }


function lantern:start()
  self.lit, self.frame, self._asking = false, 0, false
  bus.on("hero.moved", function(event)
    if not self.lit and not self._asking and self:is_near(event.payload) then
      self:ask(event.sender)
    end
  end)
  bus.handle("lantern.place", function()
    return { x = self.x, y = self.y }
  end)
end


function lantern:is_near(place)
  local dx, dy = place.x - self.x, place.y - self.y
  return dx * dx + dy * dy < self.reach * self.reach
end


function lantern:ask(hero)
  self._asking = true
  local given = bus.request(hero, "hero.spark")     -- waits for the answer
  self._asking = false
  if given then
    self:burn()
  end
end


function lantern:burn()
  self.lit, self.frame = true, 1
  task.wait_event("gust.blows", self.seconds)       -- whichever comes first
  self.lit, self.frame = false, 0
end


return lantern
