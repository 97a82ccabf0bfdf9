-- Hops about the meadow, after the player when one is near, and bumps into whom it reaches.
local map = require("map")

local slime = {}

slime.properties = { sprite = "slime", speed = 46, sight = 64 }


function slime:start()
  bus.on("player.moved", function(event)
    self._player = event.payload
    self._player.id = event.sender
  end)

  while true do
    self:rest()
    self:hop(self:choose())
  end
end


function slime:rest()
  for _ = 1, math.random(2, 5) do
    self.frame = 0
    wait(0.2 + math.random() * 0.2)
    self.frame = 1
    wait(0.1)
  end
end


-- A direction: straight at a player in sight, else any.
function slime:choose()
  local player = self._player
  if player and map.distance(self.x, self.y, player.x, player.y) < self.sight then
    return map.direction(self.x, self.y, player.x, player.y)
  end
  local angle = math.random() * 2 * math.pi
  return math.cos(angle), math.sin(angle)
end


function slime:hop(dx, dy)
  self.frame = 2
  sound.play("slime", 0.15)
  local seconds = 0
  while seconds < 0.4 do
    local dt = wait()
    seconds = seconds + dt
    map.move(self, dx * self.speed * dt, dy * self.speed * dt)
    self.layer = self.y
    self:bump(dx, dy)
  end
  self.frame = 3
  wait(0.1)
end


function slime:bump(dx, dy)
  local player = self._player
  if player and map.distance(self.x, self.y, player.x, player.y) < 9 then
    bus.send(player.id, "slime.bumped", { x = dx, y = dy })
    self._player = nil   -- until it is heard of again
  end
end


return slime
