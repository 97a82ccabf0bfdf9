-- Guards the gate. Asks whoever comes near how many embers they have, and opens when that is enough.
local map = require("map")

local keeper = {}

keeper.properties = { sprite = "keeper", price = 5, reach = 34 }


function keeper:start()
  bus.on("player.moved", function(event)
    local player = event.payload
    if not self._busy and map.distance(self.x, self.y, player.x, player.y) < self.reach then
      self._busy = true            -- with "_": forgotten by a reload, as is the task that would reset it
      self.flip = player.x < self.x
      self:talk(event.sender)
      wait(7)
      self._busy = false
    end
  end)
  bus.on("beacon.lit", function() self.thankful = true end)

  while true do                    -- breathe
    wait(0.9)
    self.frame = 1
    wait(0.5)
    self.frame = 0
  end
end


function keeper:talk(player)
  sound.play("talk")
  local embers = bus.request(player, "player.embers")
  if self.thankful then
    draw.say("Keeper: They see us now. Sit by the fire, friend.")
  elseif embers >= self.price then
    draw.say("Keeper: That will do! Be quick, the gate falls shut.")
  else
    draw.say(("Keeper: %d of %d embers. Follow the wisps."):format(embers, self.price))
    return
  end
  self.frame = 2
  bus.emit("keeper.opens")
end


return keeper
