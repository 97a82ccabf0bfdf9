-- The swarm in LÖVE: N coroutines in its one state, resumed in every frame as a game of it would.
-- Takes N as argument, then a number of frames on each line that it reads, and answers each line with the seconds
-- that one of these frames took.

local entities = {}
local time = { dt = 0 }


local function mover(self)
  while true do
    self.x = self.x + self.vx * time.dt
    self.y = self.y + self.vy * time.dt
    coroutine.yield()
  end
end


function love.load(count)
  for i = 1, count do
    local self = { x = i, y = 0.0, vx = 1.0, vy = 0.5 }
    entities[i] = { self = self, thread = coroutine.create(mover) }
    coroutine.resume(entities[i].thread, self)
  end
end


function love.update(dt)
  time.dt = dt
  for i = 1, #entities do
    coroutine.resume(entities[i].thread)
  end
end


-- Frames on demand, in place of LÖVE's own loop.
function love.run()
  love.load(tonumber(arg[#arg]))
  return function()
    local line = io.read("*l")
    if not line then
      return 0
    end
    local frames = tonumber(line)
    local started = love.timer.getTime()
    for _ = 1, frames do
      love.update(1 / 60)
    end
    io.write(("%.12f\n"):format((love.timer.getTime() - started) / frames))
    io.flush()
  end
end
