-- Ticks of a state whose only entity does the same in every frame and shows it: its one task waits for the next frame, or
-- its `update` hook ends at once; it moves, draws and changes what the window shows of it. Others may sleep meanwhile, and
-- wake, as long as they sleep again at once. Or there are only such others: then these are the ticks in which one wakes.
-- Guarantee: what a script can see and do is the same as in any other tick, and so is what the world is told.
--
-- As long as that is so the state is calm, as in `body.lua`: what such a tick needs is in locals, and whoever does
-- anything else calls `scheduler.stir` first. Commands and fields are what it does in every tick: they call nobody.

local prelude = ...
local scheduler, clock, outbox, budget = prelude.scheduler, prelude.clock, prelude.outbox, prelude.budget
local entity, records, pump, screen, watch = prelude.entity, prelude.records, prelude.pump, prelude.screen, prelude.watch
local by_id, queue, sleepers = prelude.mail.entities, prelude.later("queue"), scheduler.sleepers

local raw_resume, yield = coroutine.resume, coroutine.yield
local type, tonumber, rawequal = type, tonumber, rawequal
local get_class, set_class = debug.getmetatable, debug.setmetatable
local unpack, huge = table.unpack or unpack, math.huge
local SUSPEND, DONE = records.SUSPEND, records.DONE

local HEAD, FIELDS, look = screen.HEAD, screen.FIELDS, screen.look
local FEW = 12 -- values of operations that a yield may carry
local LIGHT = 8192 -- bytes that may be told in a tick at least, so that a few operations need not be weighed

local steady = {}

local calm, inside = false, false -- and the task that runs now
local task, hook, spot, x, y -- `task` is what runs in every frame, false where all sleep
local shown, count = {}, 0 -- name, value and place of each field that the window shows, one after the other
local color -- where that is a table, which is compared by itself: no `__eq` of a script is to be asked


local function stir()
  if calm then
    calm, scheduler.stir, spot.x, spot.y = false, nil, x, y
    for i = 1, count, 3 do
      spot.seen[shown[i + 2]] = shown[i + 1]
    end
    watch.stop()
    outbox.shut()
    if not inside then
      scheduler.current = nil
    end
    if task and not hook then
      if inside == task then
        scheduler.take_lone()
      else
        task.state = "next"
      end
    end
  end
end


-- Finds out who runs in every tick, and when somebody else wakes; for an `update` hook that, too. Else nothing.
local function find()
  local me, beat = entity.only, entity.beat
  if not me or entity.late[1] or entity.hooked and not beat or by_id[0] or outbox.n > 0
    or (outbox.most or huge) < LIGHT or scheduler.raw_resume ~= raw_resume then
    return nil
  end
  local lone, due = scheduler.lone()
  if beat then
    lone = lone == false and not beat.paused and beat.beat or nil
  elseif lone == false and due == huge then
    lone = nil
  end
  return lone, due, beat, me
end


-- In the first of these ticks all fields are looked at, as Python may have set one since the last; later, a new one stirs.
-- Gives how many values are in the outbox then, or nothing where a field has a value that cannot be shown.
local function survey(self)
  look(spot)
  local n, seen, class = calm and outbox.n, spot.seen, get_class(self)
  color = nil
  set_class(self, nil) -- so that each field is just read
  for place = 1, seen and #FIELDS or 0 do
    local name, value = FIELDS[place], seen[place]
    if type(value) == "table" then
      color = value
    elseif value ~= nil then
      shown[count + 1], shown[count + 2], shown[count + 3] = name, value, place
      count = count + 3
    elseif self[name] ~= nil then
      n = nil
    end
  end
  set_class(self, class)
  return n
end


-- Begins with a tick that is calm.
local function enter()
  calm, inside, x, y, count = true, false, spot.x, spot.y, 0
  scheduler.stir, scheduler.current, outbox.open = stir, task or nil, spot.me.id * 256
  if task and not hook then
    task.state = "running"
  end
  if budget.begin then
    budget.begin()
  end
end


-- Wakes those whose time has come; gives when the next one wakes, or nothing where one does something else than to sleep
-- again, and the rest of the tick is not for `run`. Who waits for them, and who knows the task, might ask for more.
local function wake(now)
  local first = sleepers[1]
  while first and first.due <= now do
    if first.args or first.abandon or first.on_end or task and not hook and task.exposed then
      stir()
      return nil
    end
    local sleeper = queue.take_due(now)
    inside, scheduler.current, sleeper.state = sleeper, sleeper, "running"
    local ok, token, request = raw_resume(sleeper.thread)
    if not (calm and token == SUSPEND and ok and request and request ~= true and sleeper.state == "running") then
      stir()
      inside = false
      scheduler.settle(sleeper, nil, ok, token, request)
      return nil
    end
    sleeper.state = "waiting"
    queue.sleep(sleeper, request)
    first = sleepers[1]
  end
  inside, scheduler.current = false, task or nil
  return first and first.due or huge
end


-- Puts the fields that have another value into the outbox, which has `n`; gives how many values are in there then, or
-- nothing where one is more than a number.
local function tell(self, n)
  if color and not rawequal(self.color, color) then
    return nil
  end
  for i = 1, count, 3 do
    local value = self[shown[i]]
    if value ~= shown[i + 1] then
      local kind = type(value)
      if kind ~= "number" and kind ~= "boolean" then
        return nil
      end
      local list = outbox.list
      list[n + 1], list[n + 2] = outbox.open + HEAD + shown[i + 2], value
      shown[i + 1], n = value, n + 2
      outbox.n = n
    end
  end
  return n
end


--- Tick until something else happens, and give the phase of the tick in which it does. Where the entity has run in that
-- one, also where the entity is: all that is left to be done is the end of the tick. Where only a part of it has run,
-- nothing and true.
function steady.run(phase)
  local lone, due
  lone, due, hook, spot = find()
  if lone == nil or not watch.begin(spot.self) then
    return phase
  end
  task = lone
  enter()
  local clock, outbox, raw_resume, yield, tonumber = clock, outbox, raw_resume, yield, tonumber -- luacheck: ignore 431
  local thread, fn, self, known = task and task.thread, hook and hook.fn, spot.self, false
  repeat
    if thread and not fn then
      inside = task
      local ok, token, request = raw_resume(thread)
      if not (calm and request == true and token == SUSPEND and ok) then
        stir()
        pump.settle_single(task, ok, token, request)
      end
      inside = false
    end
    if clock.now >= due then
      due = calm and wake(clock.now)
      if not due then
        return phase, nil, true
      end
    end
    if fn then
      inside = task
      local ok, token, request = raw_resume(thread, fn, self, clock.dt)
      if not calm or token ~= DONE then
        stir()
        pump.settle_beat(task, hook, ok, token, request)
      end
      inside = false
    end
    local told = outbox.n
    local n = calm and told <= FEW and (not known and survey(self) or known and tell(self, told))
    known = true
    if not n or n > FEW or not task and due == huge then
      stir()
      return phase, spot
    end
    local to_x, to_y = self.x, self.y
    local moved = to_x ~= x or to_y ~= y
    if moved then -- numbers, as in `body.lua`
      moved = to_x and to_y and (tonumber(to_x) == to_x or to_x ~= to_x) and (tonumber(to_y) == to_y or to_y ~= to_y)
      x, y = moved and to_x or nil, moved and to_y or nil
    end
    if n > 0 then
      outbox.n, outbox.weight = 0, 0
      clock.now, clock.dt, clock.frame, phase = yield(task and -1 - told or due, moved and to_x or nil,
        moved and to_y or nil, unpack(outbox.list, 1, n))
    elseif not moved then
      clock.now, clock.dt, clock.frame, phase = yield(task and true or due)
    elseif task then
      clock.now, clock.dt, clock.frame, phase = yield(to_x, to_y)
    else
      clock.now, clock.dt, clock.frame, phase = yield(due, to_x, to_y)
    end
    if phase < 0 then
      stir()
    end
    if not calm then
      return phase
    end
  until false
end


return steady
