-- The goal: cold until somebody brings enough embers to the foot of the tower, then it burns for good.
local map = require("map")

local beacon = {}

beacon.properties = { sprite = "beacon", layer = 1001, frame = 0, price = 5, glow = 0 }

local foot = { x = 288, y = 98 }


function beacon:start()
  bus.on("player.moved", function(event)
    local player = event.payload
    if not self.lit and map.distance(foot.x, foot.y, player.x, player.y) < 12 then
      self:take_from(event.sender)
    end
  end)

  while true do
    self:burn()
    wait(0.11)
  end
end


function beacon:take_from(player)
  if bus.request(player, "player.embers") >= self.price and not self.lit then
    self.lit = true
    bus.request(player, "player.give", self.price)
    bus.emit("beacon.lit")
    self:be_seen()
  end
end


function beacon:be_seen()
  bus.emit("story.begins")
  bus.emit("story.look", { x = self.x, y = self.y })
  sound.play("beacon")
  camera.shake(1, 1.2)
  wait(1)
  draw.say("The beacon burns. Out at sea, a bell answers.")
  wait(3.5)
  bus.emit("story.ends")
end


function beacon:burn()
  if self.lit then
    self.frame = math.random(2, 4)
    self.glow = 180 + math.random(-4, 4)
  else
    self.frame = math.random() < 0.1 and 1 or 0
    self.glow = self.frame * 16
  end
end


function beacon:update()
  draw.light(self.x, self.y, self.glow, "#ffb868")
end


return beacon
