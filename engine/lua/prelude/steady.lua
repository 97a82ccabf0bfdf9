-- Ticks of a state whose only entity does the same in every frame and shows it: its one task waits for the next frame, or
-- its `update` hook ends at once; it moves, draws and changes what the window shows of it. Others may sleep meanwhile, and
-- wake, as long as they sleep again at once. Or there are only such others: then these are the ticks in which one wakes.
-- Guarantee: what a script can see and do is the same as in any other tick, and so is what the world is told.
--
-- As long as that is so the state is calm, as in `body.lua`: what such a tick needs is in locals, and whoever does
-- anything else calls `scheduler.stir` first. Commands and fields are what it does in every tick: they call nobody.

local prelude = ...
local scheduler, clock, outbox, budget = prelude.scheduler, prelude.clock, prelude.tray, prelude.budget
local entity, records, pump, screen, watch = prelude.entity, prelude.records, prelude.pump, prelude.screen, prelude.watch
local by_id, several, queue, sleepers = prelude.mail.entities, prelude.several, prelude.queue, prelude.queue.heap

local raw_resume, yield, status = coroutine.resume, coroutine.yield, coroutine.status
local type, rawequal, as_number = type, rawequal, screen.as_number
local get_class, set_class = debug.getmetatable, debug.setmetatable
local unpack, huge, tray = table.unpack or unpack, math.huge, outbox.tray
local SUSPEND, DONE = records.SUSPEND, records.DONE

local HEAD, FIELDS, look = screen.HEAD, screen.FIELDS, screen.look
local FEW = 12 -- values of operations that a yield may carry
local READY = pump.READY
local LIGHT = 8192 -- bytes that may be told in a tick at least, so that a few operations need not be weighed

local steady = {}

-- Of a calm state: name, value and place of each field that the window shows, one after the other. With room for five, as
-- what grows later lies on a page of its own.
local shown = { nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil }
local waking = nil -- the sleeper that runs; until it is known what becomes of it, it has its place among those that sleep


-- Finds out who runs in every tick, and when somebody else wakes; for an `update` hook that, too. Else nothing.
local function find()
  local me, beat = entity.only, entity.beat
  if not me or entity.late[1] or entity.hooked and not beat or by_id[0] or outbox.n > 0
    or (outbox.most or huge) < LIGHT or scheduler.raw_resume ~= raw_resume then
    return nil
  end
  local lone, due = several.lone()
  if beat then
    lone = lone == false and not beat.paused and beat.beat or nil
  elseif lone == false and due == huge then
    lone = nil
  end
  return lone, due, beat, me
end


-- In the first of these ticks all fields are looked at, as Python may have set one since the last; later, a new one stirs.
-- Gives how many values are in the outbox then, or nothing where a field has a value that cannot be shown; how many are
-- in `shown`; and the colour where that is a table, which is compared by itself: no `__eq` of a script is to be asked.
local function survey(spot)
  look(spot)
  local n, seen, self = scheduler.stir and tray.n, spot.seen, spot.self
  local class, count, color = get_class(self), 0, nil
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
  return n, count, color
end


-- Begins with a tick that is calm.
local function enter(task, hook, spot, stir)
  scheduler.stir, scheduler.current = stir, task or nil
  outbox.unlock(spot.me.id)
  if task and not hook then
    task.state = "running"
  end
  if budget.begin then
    budget.begin()
  end
end


-- The state is calm no longer. The task in `ran` has just run, or one runs, or none does.
local function disturb(task, hook, ran)
  scheduler.stir = nil
  watch.stop()
  outbox.shut()
  if waking then
    queue.remove(waking)
    waking = nil
  end
  local current = scheduler.current
  if not ran and current and status(current.thread) == "suspended" then
    scheduler.current = nil
  end
  if not task or hook then
    return
  elseif ran == task or status(task.thread) ~= "suspended" then
    several.take_lone()
  else
    task.state = "next"
  end
end


local function sleep_again(task, due)
  task.state = "waiting"
  if sleepers[2] then
    queue.remove(task)
    queue.sleep(task, due)
  else
    task.due = due -- in its place, as whoever falls asleep from here on comes after it
  end
end


-- Wakes those whose time has come; gives when the next one wakes, and who runs in every frame from here on. Nothing where
-- one does something else than to sleep again, or to be that one, and the rest of the tick is not for `run`. Who waits for
-- them, and who knows the task, might ask for more.
local function wake(now, task, hook, shows)
  local first = sleepers[1]
  while first and first.due <= now do
    if first.args or first.abandon or first.on_end or task and not hook and task.exposed then
      scheduler.stir()
      return nil
    end
    waking, scheduler.current, first.state = first, first, "running"
    local ok, token, request = raw_resume(first.thread)
    local stir = scheduler.stir
    if not (stir and token == SUSPEND and ok and request and first.state == "running")
      or request == true and (task or not shows) then
      if stir then
        stir(first)
      end
      scheduler.settle(first, nil, ok, token, request)
      return nil
    end
    waking = nil
    if request == true then
      task = first
      several.put_lone(task)
      if sleepers[1] and sleepers[1].due <= now then -- `stir` does not know this task yet
        task.state = "next"
        scheduler.stir()
        return nil
      end
    else
      sleep_again(first, request)
    end
    first = sleepers[1]
  end
  scheduler.current = task or nil
  return first and first.due or huge, task
end


-- The task that ran in every frame sleeps; gives when the next one wakes.
local function lie_down(task, due)
  several.take_lone()
  scheduler.pending, scheduler.current, task.state = true, nil, "waiting"
  queue.sleep(task, due)
  return sleepers[1].due
end


--- Tick until something else happens, and give the phase of the tick in which it does; then the entity's spot where all of
-- it has run in that tick, so that only the end is left to be done, or nothing and true where a part of it has. In the
-- phase `READY` nothing runs, and so the next tick can be calm.
-- All that a tick does is in this one function: a thousand states come here in each frame, and every call and upvalue more
-- would be a cold cache line in each of them.
function steady.run(phase)
  local task, due, hook, spot = find() -- `task` is what runs in every frame, false where all sleep
  if task == nil or not watch.begin(spot.self) then
    return phase
  end
  local calm, ready, x, y, count, color = true, phase == READY, spot.x, spot.y, nil, nil

  local function stir(ran)
    if calm then
      calm, spot.x, spot.y = false, x, y
      for i = 1, count or 0, 3 do
        spot.seen[shown[i + 2]] = shown[i + 1]
      end
      disturb(task, hook, ran)
    end
  end

  enter(task, hook, spot, stir)
  local clock, tray, raw_resume, yield, as_number = clock, tray, raw_resume, yield, as_number -- luacheck: ignore 431
  local SUSPEND, FEW, shown, list, head = SUSPEND, FEW, shown, tray.list, tray.open + HEAD -- luacheck: ignore 431
  local DONE, unpack, huge = DONE, unpack, huge -- luacheck: ignore 431
  local thread, fn, self = not ready and task and task.thread, hook and hook.fn, spot.self
  due = ready and huge or due
  repeat
    -- The task that runs in every tick.
    if thread and not fn then
      local ok, token, request = raw_resume(thread)
      if not (calm and request == true and token == SUSPEND and ok) then
        if calm and token == SUSPEND and ok and request and task.listed then
          due = lie_down(task, request)
          task, thread = false, nil
        else
          stir(task)
          pump.settle_single(task, ok, token, request)
          if entity.hooked then -- `init` or `start` has ended, and `update` has its turn in this tick
            return phase, nil, true
          end
        end
      end
    end
    -- Those who slept until now.
    if clock.now >= due then
      if not calm then
        return phase, nil, true
      end
      due, task = wake(clock.now, task, hook, spot.shown)
      if not due then
        return phase, nil, true
      end
      thread = task and task.thread
    end
    -- The `update` hook.
    if thread and fn then
      local ok, token, request = raw_resume(thread, fn, self, clock.dt)
      if not calm or token ~= DONE then
        stir(task)
        prelude.standing.settle_beat(task, hook, ok, token, request)
      end
    end
    -- What the window shows: the commands are in the tray already, the fields that changed go there now.
    local n = calm and tray.n
    local told = n
    if not n or n > FEW or color and not rawequal(self.color, color) then
      n = nil
    elseif not count then
      n, count, color = survey(spot)
    else
      for i = 1, count, 3 do
        local value = self[shown[i]]
        if value ~= shown[i + 1] then
          if value == nil or as_number(value) ~= value and type(value) ~= "boolean" and value == value then
            n = nil -- more than a number, NaN or a boolean
            break
          end
          list[n + 1], list[n + 2], shown[i + 1] = head + shown[i + 2], value, value
          n = n + 2
          tray.n = n
        end
      end
    end
    if not n or n > FEW or not task and due == huge then
      stir()
      return phase, spot
    end
    -- Where the entity is.
    local to_x, to_y = self.x, self.y
    local moved = to_x ~= x or to_y ~= y
    if moved then -- numbers, as in `body.lua`
      moved = to_x and to_y and (as_number(to_x) == to_x or to_x ~= to_x) and (as_number(to_y) == to_y or to_y ~= to_y)
      x, y = moved and to_x or nil, moved and to_y or nil
    end
    -- That is told, and what comes back is the next tick.
    if n > 0 then
      tray.n = 0
      clock.now, clock.dt, clock.frame, phase = yield(task and -1 - told or due, moved and to_x or nil,
        moved and to_y or nil, unpack(list, 1, n))
    elseif not moved then
      clock.now, clock.dt, clock.frame, phase = yield(task and true or due)
    elseif task then
      clock.now, clock.dt, clock.frame, phase = yield(to_x, to_y)
    else
      clock.now, clock.dt, clock.frame, phase = yield(due, to_x, to_y)
    end
    if phase < 0 then
      stir()
    elseif ready then
      ready, thread, due = false, task and task.thread, sleepers[1] and sleepers[1].due or huge
    end
  until not calm
  return phase
end


if jit then
  jit.off(steady.run) -- a loop that yields is never compiled, but tried in vain, by a thousand states in the same frame
end


return steady
