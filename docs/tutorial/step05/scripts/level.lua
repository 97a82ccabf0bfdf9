-- scripts/level.lua: who is there, and who comes later.
---@class level: Script
local level = {}

level.properties = { pause = 3 }


-- Once: a reload runs only `start` again, so that nobody is spawned twice.
function level:init()
  for _, x in ipairs({ 60, 160, 260 }) do
    entity.spawn("lantern", { x = x, y = 40 })
  end
end


function level:start()
  task.every(self.pause, function()
    if #entity.find("spark") < 3 then
      entity.spawn("spark", { x = math.random(20, 300), y = math.random(80, 170) })
    end
  end)
end


return level
