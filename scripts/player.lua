-- You: walk about with a lantern and gather embers.
-- Tells everybody where you are, ten times a second; who wants to know listens to "player.moved".
local map = require("map")

local player = {}

player.properties = { sprite = "player", speed = 64, embers = 0 }

local first_frame = { down = 0, side = 3, up = 6 }


function player:init()
  self.facing = "down"
  self.free = true      -- false while a story is told
  self.walked = 0
end


function player:start()
  bus.on("story.begins", function() self.free = false end)
  bus.on("story.ends", function() self.free = true end)

  -- Others may ask for what only the player knows; what `handle` returns is their answer.
  bus.handle("player.embers", function() return self.embers end)
  bus.handle("player.give", function(event)
    self:carry(self.embers - event.payload)
  end)

  task.every(0.1, function()
    bus.emit("player.moved", { x = self.x, y = self.y })
  end)
end


-- Events that were sent to this entity alone.
function player:on_event(event)
  if event.name == "ember.found" then
    self:carry(self.embers + 1)
  elseif event.name == "slime.bumped" then
    self:stumble(event.payload)
  end
end


function player:carry(embers)
  self.embers = embers
  bus.emit("player.embers", embers)
end


function player:stumble(push)
  sound.play("bump")
  camera.shake(2, 0.2)
  sprite.flash("#9a72c6", 0.3)
  for _ = 1, 8 do
    map.move(self, push.x * 3, push.y * 3)
    wait()
  end
end


function player:update(dt)
  local dx, dy = 0, 0
  if self.free then
    dx, dy = input.axis("left", "right"), input.axis("up", "down")
  end
  if dx ~= 0 or dy ~= 0 then
    self:walk(dx, dy, dt)
  else
    self.frame = first_frame[self.facing]
  end
  draw.light(self.x, self.y, 64, "#ffb868")   -- the lantern
  self.layer = self.y   -- whoever stands further down stands in front
end


function player:walk(dx, dy, dt)
  local step = self.speed * dt / math.sqrt(dx * dx + dy * dy)
  map.move(self, dx * step, dy * step)

  self.facing = dx ~= 0 and "side" or dy < 0 and "up" or "down"
  self.flip = dx < 0
  local before = math.floor(self.walked)
  self.walked = self.walked + dt * 6
  local beat = math.floor(self.walked)
  self.frame = first_frame[self.facing] + 1 + beat % 2
  if beat > before and beat % 2 == 0 then
    sound.play("step", 0.5)
  end
end


return player
