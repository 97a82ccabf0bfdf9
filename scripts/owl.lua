-- Sits in a tree, looks after the player, blinks, and hoots when it feels like it.
local owl = {}

owl.properties = { sprite = "owl", layer = 1001, frame = 0 }


function owl:start()
  bus.on("player.moved", function(event) self.flip = event.payload.x < self.x end)
  bus.on("beacon.lit", function()
    wait(1.5)
    self:hoot()
  end)

  while true do
    wait(1 + math.random() * 3)
    if math.random() < 0.2 then
      self:hoot()
    else
      self:blink()
    end
  end
end


function owl:blink()
  self.frame = 1
  wait(0.15)
  self.frame = 0
end


function owl:hoot()
  self.frame = 2
  sound.play("owl", 0.4)
  wait(1.1)
  self.frame = 0
end


return owl
