-- Drifts from place to place, shies away from the lantern, and fades after a while.
-- Where it fades it leaves an ember.
local map = require("map")

local wisp = {}

wisp.properties = { sprite = "wisp", layer = 500, alpha = 0, life = 12, speed = 18, shyness = 44 }


function wisp:init()
  self.age = 0
end


function wisp:start()
  bus.on("player.moved", function(event) self._player = event.payload end)
  task.every(0.13, function() self.frame = math.random(0, 3) end)

  while self.age < self.life or not map.free(self.x, self.y) do
    local dx, dy = self:choose()
    self:drift(dx, dy, 1 + math.random())
  end
  self:fade()
end


-- A direction: away from a lantern that is near, back from the sea, else any.
function wisp:choose()
  local player = self._player
  if player and map.distance(self.x, self.y, player.x, player.y) < self.shyness then
    return map.direction(player.x, player.y, self.x, self.y)
  elseif map.at(self.x, self.y) == "~" then
    return map.direction(self.x, self.y, map.width / 2, map.height / 2)
  end
  local angle = math.random() * 2 * math.pi
  return math.cos(angle), math.sin(angle)
end


function wisp:drift(dx, dy, seconds)
  local until_age = self.age + seconds
  while self.age < until_age do
    local dt = wait()
    self.age = self.age + dt
    self.x = self.x + dx * self.speed * dt
    self.y = self.y + (dy * self.speed + 8 * math.cos(self.age * 3)) * dt
    self:shine(math.min(1, self.age) * (0.8 + 0.2 * math.sin(self.age * 5)))
  end
end


function wisp:fade()
  sound.play("wisp", 0.4)
  for step = 30, 0, -1 do
    self:shine(step / 30)
    wait()
  end
  entity.spawn("ember", { x = self.x, y = self.y })
  bus.emit("wisp.faded")
  entity.destroy()
end


function wisp:shine(brightness)
  self.alpha = brightness
  draw.light(self.x, self.y, 34 * brightness, "#74a8c8")
end


return wisp
