-- Keeps the night in wisps: sends up a new one, a little later, for each that faded.
local well = {}

well.properties = { sprite = "well", wisps = 5, pause = 2.5 }


-- Only the first time: after a reload the wisps that were sent up before are still about.
function well:init()
  self.missing = self.wisps
  self.glow = 0
end


function well:start()
  bus.on("wisp.faded", function() self.missing = self.missing + 1 end)

  while true do
    if self.missing > 0 then
      self.missing = self.missing - 1
      self.glow = 1
      entity.spawn("wisp", { x = self.x, y = self.y - 6, life = math.random(9, 16) })
    end
    wait(self.pause * (0.3 + 0.7 * math.random()))
  end
end


function well:update(dt)
  self.glow = math.max(0, self.glow - dt)
  draw.light(self.x, self.y, 34 + 20 * self.glow, "#4a62b0")
end


return well
