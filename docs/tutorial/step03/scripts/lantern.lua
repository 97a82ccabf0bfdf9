-- scripts/lantern.lua: burns for a while, rests for a while.
---@class lantern: Script
local lantern = {}

lantern.properties = { sprite = "lantern", seconds = 2 }


function lantern:start()
  while true do
    self.frame = 1
    wait(self.seconds)
    self.frame = 0
    wait(1)
  end
end


return lantern
