-- scripts/level.lua: who is there, who comes later, and when it is won.
local scores = require("scores")

---@class level: Script
local level = {}

level.properties = { pause = 3, lit = 0, seconds = 0 }


-- Once: a reload runs only `start` again, so that nobody is spawned twice.
function level:init()
  for _, x in ipairs({ 60, 160, 260 }) do
    entity.spawn("lantern", { x = x, y = 40 })
  end
  entity.spawn("intro")
end


function level:start()
  bus.on("lantern.lit", function() self:count(1) end)
  bus.on("lantern.out", function() self:count(-1) end)
  if not self.begun then
    task.wait_event("story.ends")
    self.begun = time.now
    entity.spawn("gust", { x = 160, y = 20 })
  end
  task.every(self.pause, function()
    if #entity.find("spark") < 3 then
      entity.spawn("spark", { x = math.random(20, 300), y = math.random(80, 170) })
    end
  end)
end


function level:count(change)
  self.lit = self.lit + change
  if self.lit == 3 and not self.won then
    self.won = true
    local seconds = time.now - self.begun
    local best = scores.best(seconds)               -- Python; only this task waits for it
    draw.say(string.format("All lit after %.1f s. Best: %.1f s.", seconds, best))
  end
end


return level
