-- scripts/gust.lua: a wind that visits lanterns and blows them out.
---@class gust: Script
local gust = {}

gust.properties = { rest = 4, travel = 2, spin = 0 }


function gust:start()
  while true do
    wait(self.rest)
    self:visit()
  end
end


function gust:visit()
  local lanterns = entity.find("lantern")
  local id = lanterns[math.random(#lanterns)]
  local place = bus.request(id, "lantern.place")
  task.all({
    function() tween(self, self.travel, { x = place.x, y = place.y - 14 }, "in_out_quad") end,
    function() tween(self, self.travel, { spin = self.spin + 12 }) end,
  })
  bus.send(id, "gust.blows")
end


function gust:update()
  for i = 1, 3 do
    local angle = self.spin + i * 2.1
    draw.circle(self.x + 6 * math.cos(angle), self.y + 3 * math.sin(angle), 2, "#7890c8")
  end
end


return gust
