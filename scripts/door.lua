-- One leaf of the gate: opens when the keeper says so, closes again by itself, but never on anybody.
local map = require("map")

local door = {}

door.properties = { sprite = "door", open_seconds = 5, frame = 0 }


function door:start()
  bus.on("player.moved", function(event)
    self._crowded = map.distance(self.x, self.y, event.payload.x, event.payload.y) < 20
  end)
  bus.on("keeper.opens", function()
    if not self.open then
      self.open = true
      self:swing(0, 3)
      map.open(self.x, self.y, true)
      self:close_later()
    end
  end)

  if self.open then      -- reloaded while it stood open: the task that would have closed it is gone
    self:close_later()
  end
end


function door:close_later()
  self.frame = 3
  wait(self.open_seconds)
  task.wait_until(function() return not self._crowded end)
  map.open(self.x, self.y, false)
  self:swing(3, 0)
  self.open = false
end


function door:swing(from, to)
  sound.play("door", 0.5)
  for frame = from, to, from < to and 1 or -1 do
    self.frame = frame
    wait(0.12)
  end
end


return door
