-- Lights up when you come near, and goes out by itself.

---@class lantern: Script
---@field lit boolean
local lantern = {}

lantern.properties = { sprite = "lantern", seconds = 2, reach = 40 }


-- Runs when the entity is made, and again after every reload, which ended all its tasks.
function lantern:start()
  self.lit, self.frame = false, 0
  bus.on("hero.moved", function(event)
    local dx, dy = event.payload.x - self.x, event.payload.y - self.y
    if not self.lit and dx * dx + dy * dy < self.reach * self.reach then
      self:burn()
    end
  end)
end


function lantern:burn()
  self.lit, self.frame = true, 1
  wait(self.seconds)             -- only this handler waits
  self.lit, self.frame = false, 0
end


return lantern
