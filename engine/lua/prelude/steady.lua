-- Ticks of a state whose only entity does the same in every frame and shows it: its one task waits for the next frame, or
-- its `update` hook ends at once; it moves, draws and changes what the window shows of it. Others may sleep meanwhile, and
-- wake, as long as they sleep again at once. Or there are only such others: then these are the ticks in which one wakes.
-- Guarantee: what a script can see and do is the same as in any other tick, and so is what the world is told.
--
-- As long as that is so the state is calm, as in `body.lua`: what such a tick needs is in locals, and whoever does
-- anything else calls `scheduler.stir` first. Commands and fields are what it does in every tick: they call nobody.

local prelude = ...
local scheduler, outbox, budget = prelude.scheduler, prelude.tray, prelude.budget
local entity, records, pump, screen, watch = prelude.entity, prelude.records, prelude.pump, prelude.screen, prelude.watch
local by_id, cycle = prelude.mail.entities, prelude.cycle.run
local several, queue = prelude.later("several"), prelude.later("queue") -- there where others sleep

local raw_resume, status, type, huge = coroutine.resume, coroutine.status, type, math.huge
local get_class, set_class, tray = debug.getmetatable, debug.setmetatable, outbox.tray
local SUSPEND = records.SUSPEND

local FIELDS, look = screen.FIELDS, screen.look
local LIGHT = 8192 -- bytes that may be told in a tick at least, so that a few operations need not be weighed

-- And what few of its ticks need.
local steady = { READY = pump.READY, HEAD = screen.HEAD, same = rawequal }

local waking = nil -- the sleeper that runs; until it is known what becomes of it, it has its place among those that sleep


-- Finds out who runs in every tick, and when somebody else wakes; for an `update` hook that, too. Else nothing.
local function find()
  local me, beat = entity.only, entity.beat
  if not me or entity.late[1] or entity.hooked and not beat or by_id[0] or outbox.n > 0
    or (outbox.most or huge) < LIGHT or scheduler.raw_resume ~= raw_resume then
    return nil
  end
  local lone, due = scheduler.single or false, huge
  if scheduler.pending then
    lone, due = several.lone()
  elseif scheduler.deferrals > 0 or scheduler.ran then
    return nil
  end
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
function steady.survey(spot, shown)
  look(spot)
  local n, seen, self = scheduler.stir and tray[2], spot.seen, spot.self
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


-- Has who runs in every tick wait no more.
local function take_lone()
  scheduler.single = nil
  if scheduler.pending then
    several.take_lone()
  end
end


-- Begins with a tick that is calm.
function steady.enter(task, hook, spot, stir)
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
function steady.disturb(task, hook, ran)
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
    take_lone()
  else
    task.state = "next"
  end
end


local function sleep_again(task, due)
  task.state = "waiting"
  if queue.heap[2] then
    queue.remove(task)
    queue.sleep(task, due)
  else
    task.due = due -- in its place, as whoever falls asleep from here on comes after it
  end
end


-- Wakes those whose time has come; gives when the next one wakes, and who runs in every frame from here on. Nothing where
-- one does something else than to sleep again, or to be that one, and the rest of the tick is not for `run`. Who waits for
-- them, and who knows the task, might ask for more.
function steady.wake(now, task, hook, shows)
  local sleepers = queue.heap
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
function steady.lie_down(task, due)
  take_lone()
  scheduler.pending, scheduler.current, task.state = true, nil, "waiting"
  queue.sleep(task, due)
  return queue.heap[1].due
end


-- When the first of those that sleep wakes.
function steady.next_due()
  local first = scheduler.pending and queue.heap[1]
  return first and first.due or huge
end


-- The task that runs in every tick has done something else. True where its `init` or `start` has ended, and `update` has
-- its turn in this tick.
function steady.settle(task, ok, token, request)
  pump.settle_single(task, ok, token, request)
  return entity.hooked
end


-- The same for the `update` hook.
function steady.settle_beat(...)
  prelude.standing.settle_beat(...)
end


--- Tick until something else happens; gives what `cycle` does. In the phase `READY` nothing runs, and so the next tick can
-- be calm.
function steady.run(phase)
  local task, due, hook, spot = find()
  if task == nil or not watch.begin(spot.self) then
    return phase
  end
  return cycle(steady, phase, task, due, hook, spot)
end


return steady
