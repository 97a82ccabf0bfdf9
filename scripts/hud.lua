-- Five flames in the corner: as many are lit as the player carries embers.
local hud = {}

hud.properties = { embers = 0, slots = 5 }


function hud:start()
  bus.on("player.embers", function(event) self.embers = event.payload end)
end


-- After everybody's `update`; what is drawn lasts for one frame.
function hud:late_update()
  for slot = 1, math.max(self.slots, self.embers) do
    local x, lit = 2 + slot * 8, slot <= self.embers
    draw.rect(x - 1, 9, 6, 7, "#0e101e", "screen")
    draw.rect(x, 10, 4, 5, lit and "#da8046" or "#2e3e68", "screen")
    draw.rect(x + 1, 11, 2, 3, lit and "#ffeaaa" or "#1c2442", "screen")
  end
end


return hud
