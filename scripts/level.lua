-- Sets the scene: the land, and everybody who is out tonight.
local map = require("map")

local level = {}


-- `init` runs once. A reload carries `self` over and runs only `start` again, so nobody is spawned twice.
function level:init()
  local middle = { x = map.width / 2, y = map.height / 2 }
  entity.spawn("picture", { sprite = "ground", x = middle.x, y = middle.y, layer = -1000 })
  entity.spawn("picture", { sprite = "canopy", x = middle.x, y = middle.y, layer = 1000 })
  entity.spawn("eye", middle)
  entity.spawn("hud")

  self:lights()
  self:people()
  self:wild()
end


function level:lights()
  for _, at in ipairs({ { 248, 136 }, { 328, 136 }, { 116, 150 }, { 238, 218 }, { 276, 250 }, { 338, 160 } }) do
    entity.spawn("lamp", { x = at[1], y = at[2], layer = at[2] })
  end
  entity.spawn("lamp", { sprite = "fire", x = 216, y = 166, layer = 166, glow = 74 })
  entity.spawn("lamp", { sprite = "window", x = 63, y = 100, glow = 40 })
  entity.spawn("beacon", { x = 288, y = 27 })
end


function level:people()
  entity.spawn("keeper", { x = 266, y = 132, layer = 132 })
  entity.spawn("door", { x = 280, y = 120, layer = 120 })
  entity.spawn("door", { x = 296, y = 120, layer = 120, flip = true })
end


function level:wild()
  entity.spawn("well", { x = 192, y = 192, layer = 192 })
  entity.spawn("owl", { x = 201, y = 38 })
  for _, at in ipairs({ { 100, 168 }, { 150, 118 }, { 350, 200 } }) do
    entity.spawn("slime", { x = at[1], y = at[2] })
  end
  for _, at in ipairs({ { 128, 190 }, { 384, 120 }, { 279, 262 } }) do
    entity.spawn("ember", { x = at[1], y = at[2] })
  end
  for _ = 1, 12 do
    entity.spawn("firefly", { x = math.random(60, 400), y = math.random(60, 210) })
  end
  for _ = 1, 10 do
    entity.spawn("ripple")
  end
end


function level:start()
  sound.loop("night", 0.6)
end


return level
