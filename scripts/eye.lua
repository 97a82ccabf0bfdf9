-- The camera: glides after the player, or to where a story wants it, and never shows the edge of the world.
local map = require("map")

local eye = {}

eye.properties = { view_width = 320, view_height = 180, haste = 3.5 }


function eye:init()
  self.goal = { x = self.x, y = self.y }
  self.held = false
end


function eye:start()
  bus.on("player.moved", function(event)
    if not self.held then
      self.goal = event.payload
    end
  end)
  bus.on("story.look", function(event)
    self.held = true
    self.goal = event.payload
  end)
  bus.on("story.ends", function() self.held = false end)
end


local function within(value, margin, size)
  return math.max(margin, math.min(size - margin, value))
end


function eye:update(dt)
  local share = 1 - math.exp(-self.haste * dt)   -- the same glide at any frame rate
  local x = within(self.goal.x, self.view_width / 2, map.width)
  local y = within(self.goal.y, self.view_height / 2, map.height)
  self.x = self.x + (x - self.x) * share
  self.y = self.y + (y - self.y) * share
  camera.move(self.x, self.y)
end


return eye
