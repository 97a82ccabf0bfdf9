-- Ticks of a state whose only entity does the same in every frame and shows it: its one task waits for the next frame, or
-- its `update` hook ends at once; it moves, draws and changes what the window shows of it. Others may sleep meanwhile.
-- Guarantee: what a script can see and do is the same as in `pump.run`, and so is what the world is told.
--
-- As long as that is so the state is calm, as in `pump.run`: what such a tick needs is in locals, and whoever does
-- anything else calls `scheduler.stir` first. Commands and fields are what it does in every tick: they call nobody.

local prelude = ...
local scheduler, clock, outbox, budget = prelude.scheduler, prelude.clock, prelude.outbox, prelude.budget
local entity, records, pump, screen = prelude.entity, prelude.records, prelude.pump, prelude.screen
local by_id = prelude.mail.entities

local raw_resume, yield, type = coroutine.resume, coroutine.yield, type
local get_class, set_class, rawequal = debug.getmetatable, debug.setmetatable, rawequal
local unpack, huge = table.unpack or unpack, math.huge
local SUSPEND, DONE = records.SUSPEND, records.DONE

local HEAD = screen.HEAD
local FEW = 12 -- values of operations that a yield may carry
local LIGHT = 8192 -- bytes that may be told in a tick at least, so that a few operations need not be weighed

local steady = {}

local calm, inside = false, false -- and whether the entity runs now
local task, hook, spot, x, y


local function stir()
  if calm then
    calm, scheduler.stir, spot.x, spot.y = false, nil, x, y
    outbox.shut()
    if inside then
      if not hook then
        scheduler.take_lone()
      end
    else
      scheduler.current = nil
      if not hook then
        task.state = "next"
      end
    end
  end
end


-- Finds out who runs in this tick, and how long nobody else wakes; for an `update` hook that, too. Else nothing.
local function find(now)
  local me, beat = entity.only, entity.beat
  if not me or entity.late[1] or entity.hooked and not beat or by_id[0] or outbox.n > 0
    or (outbox.most or huge) < LIGHT or scheduler.raw_resume ~= raw_resume then
    return nil
  end
  local lone, due = scheduler.lone(now)
  if beat then
    lone = lone == false and not beat.paused and beat.beat
  end
  return lone, due, beat, me
end


-- Begins with a tick that is calm.
local function enter()
  calm, inside, x, y = true, false, spot.x, spot.y
  scheduler.stir, scheduler.current, outbox.open = stir, task, spot.me.id * 256
  if not hook then
    task.state = "running"
  end
  if budget.begin then
    budget.begin()
  end
end


-- Puts a field that has another value into the outbox, which has `n`; gives how many there are now, or nothing where the
-- value is more than a number.
local function tell(list, n, seen, place, value)
  local kind = type(value)
  if kind == "number" or kind == "boolean" then
    list[n + 1], list[n + 2], seen[place] = outbox.open + HEAD + place, value, value
    outbox.n = n + 2
    return n + 2
  end
end


--- Tick until something else happens, and give the values of the tick in which it does. Where the entity has run in that
-- one, also where the entity is: all that is left to be done is the end of the tick.
function steady.run(now, dt, frame, phase)
  local lone, due
  lone, due, hook, spot = find(now)
  if not lone then
    return now, dt, frame, phase
  end
  task = lone
  local clock, outbox, raw_resume, yield, set_class = clock, outbox, raw_resume, yield, set_class -- luacheck: ignore 431
  local SUSPEND, DONE, list = SUSPEND, DONE, outbox.list -- luacheck: ignore 431
  local spot, thread, fn, self = spot, task.thread, hook and hook.fn, spot.self -- luacheck: ignore 431
  local class, seen = get_class(self), spot.seen
  enter()
  local sprite_, frame_, layer_, angle_, scale_, flip_, alpha_, visible_, text_, light_, color_
  if seen then
    sprite_, frame_, layer_, angle_, scale_, flip_ = seen[1], seen[2], seen[3], seen[4], seen[5], seen[6]
    alpha_, visible_, text_, light_, color_ = seen[7], seen[8], seen[9], seen[10], seen[11]
  end
  repeat
    inside = true
    local ok, token, request
    if fn then
      ok, token, request = raw_resume(thread, fn, self, dt)
      if not calm or token ~= DONE then
        stir()
        pump.settle_beat(task, hook, ok, token, request)
      end
    else
      ok, token, request = raw_resume(thread)
      if not (calm and request == true and token == SUSPEND and ok) then
        stir()
        pump.settle_single(task, ok, token, request)
      end
    end
    inside = false
    local told = outbox.n
    local n = told <= FEW and told or nil -- or nil: the usual end of a tick is for this one
    set_class(self, nil) -- so that each field is just read, and only what is set in `self` itself is found
    local to_x, to_y, sprite, text, light = self.x, self.y, self.sprite, self.text, self.light
    if seen then
      local image, layer, angle, scale, flip = self.frame, self.layer, self.angle, self.scale, self.flip
      local alpha, visible, color = self.alpha, self.visible, self.color
      set_class(self, class)
      if not calm or sprite ~= sprite_ or text ~= text_ or not rawequal(color, color_) then
        n = nil
      else
        if n and image ~= frame_ then n, frame_ = tell(list, n, seen, 2, image), image end
        if n and layer ~= layer_ then n, layer_ = tell(list, n, seen, 3, layer), layer end
        if n and angle ~= angle_ then n, angle_ = tell(list, n, seen, 4, angle), angle end
        if n and scale ~= scale_ then n, scale_ = tell(list, n, seen, 5, scale), scale end
        if n and flip ~= flip_ then n, flip_ = tell(list, n, seen, 6, flip), flip end
        if n and alpha ~= alpha_ then n, alpha_ = tell(list, n, seen, 7, alpha), alpha end
        if n and visible ~= visible_ then n, visible_ = tell(list, n, seen, 8, visible), visible end
        if n and light ~= light_ then n, light_ = tell(list, n, seen, 10, light), light end
      end
    else
      set_class(self, class)
      if not calm or sprite ~= nil or text ~= nil or light ~= nil then
        n = nil
      end
    end
    if not n or n > FEW then
      stir()
      return now, dt, frame, phase, spot
    end
    local moved = to_x ~= x or to_y ~= y
    if moved then
      if type(to_x) == "number" and type(to_y) == "number" then
        x, y = to_x, to_y
      else
        x, y, moved = nil, nil, false
      end
    end
    if n == 0 then
      if moved then
        now, dt, frame, phase = yield(to_x, to_y)
      else
        now, dt, frame, phase = yield(true)
      end
    else
      outbox.n, outbox.weight = 0, 0
      now, dt, frame, phase = yield(-1 - told, moved and to_x or nil, moved and to_y or nil, unpack(list, 1, n))
    end
    if not calm then
      return now, dt, frame, phase
    elseif phase < 0 or now >= due then
      stir()
      return now, dt, frame, phase
    end
    clock.now, clock.dt, clock.frame = now, dt, frame
  until false
end


return steady
