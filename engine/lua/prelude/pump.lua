-- The pump: one long-lived coroutine per state. The world sends it (now, dt, frame, phase) and gets back when to wake the
-- state next, where its entity is, and what it has to say. A tick with mail is an ordinary call, `pump.deliver`.
-- Guarantee: nothing else enters or leaves the state while it ticks, and no error of a script ends the pump.
--
-- phase  n >= 0: due tasks, n times `fixed_update`, `update`;  -1: mail only;  -2: `late_update`
-- gives  wake                         nothing else happened
--        x, y                         the only entity moved, and wakes in the next frame
--        wake, x, y, operations...    it moved, or more happened
--        wake, x, y, n                and n values of operations, to be fetched with `pump.fetch`
-- wake is true (next frame), a time, or false (asleep)

local prelude = ...
local scheduler, clock, outbox = prelude.scheduler, prelude.clock, prelude.outbox
local bus, entity, records = prelude.mail, prelude.entity, prelude.records

local budget = prelude.budget
local look = prelude.screen.look

local pump = { fixed_step = 1 / 60 }

local type, rawget, select = type, rawget, select
local raw_resume, yield, used = coroutine.resume, coroutine.yield, collectgarbage
local unpack = table.unpack or unpack
local SUSPEND, settle = scheduler.SUSPEND, scheduler.settle
local take_upcoming = scheduler.take_upcoming
local receive, put = bus.receive, outbox.put
local standing, DONE = prelude.later("standing"), records.DONE
local later_steady = prelude.later("steady")
local updaters, fixed, late = entity.updaters, entity.fixed, entity.late

local MANY = 4000 -- values that a call may give back: LuaJIT's C stack has room for 8,000
local FEW = 12 -- values of operations that a yield may carry

local waiting, own = nil, 0 -- operations to be fetched, and how many values they are
local apart = 0 -- values of the operation that tells the places, after those
local kept, count = {}, 0 -- mail that came in parts

entity.written = nil -- shared values set in this tick


-- Tells the places of many entities: one list of all places that are new, which goes by itself where it is long.
local function publish_all()
  local n = prelude.places.look(look)
  if n > FEW then
    apart = n
  elseif n > 3 then
    outbox.put_list("places", 0, { prelude.places.part(4, n) }, n - 3)
  end
end


local function run_hooks(list, name, dt)
  if list[1] then
    local hooks = prelude.hooks
    if scheduler.raw_resume == raw_resume then
      hooks.run(list, name, dt)
    else
      hooks.run_each(list, name, dt)
    end
  end
end


local function run_every_frame(phase)
  for _ = 1, phase do
    run_hooks(fixed, "fixed_update", pump.fixed_step)
  end
  run_hooks(updaters, "update", clock.dt)
end


-- The end of a tick in a state where only one entity lives: all but its tasks and hooks.
local function wind_up(spot)
  if scheduler.deferrals > 0 then
    prelude.deferral.run_deferred()
  end
  local finish = budget.finish
  if finish and used("count") > budget.kibibytes and finish() then
    put("over", 0, prelude.overruns.over_memory())
  end
  local x, y = look(spot)
  if x ~= spot.x or y ~= spot.y then
    if type(x) == "number" and type(y) == "number" then
      spot.x, spot.y = x, y
      return entity.hooked or scheduler.wake_time(), x, y
    end
    spot.x, spot.y = nil, nil
  end
  return entity.hooked or scheduler.wake_time()
end


-- A tick without its mail and its single task. Gives the wake time, and x and y where the only entity moved. What runs in
-- this frame has been `taken` where mail or the single task ran before: their waits are for the next.
local function rest(phase, taken)
  if phase >= 0 then
    if scheduler.pending then
      if not taken then
        take_upcoming()
      end
      scheduler.run_due()
    end
    if entity.hooked then
      run_every_frame(phase)
    end
  elseif phase == -2 then
    run_hooks(late, "late_update", clock.dt)
  end
  if entity.only then
    return wind_up(entity.only)
  end
  if scheduler.deferrals > 0 then
    prelude.deferral.run_deferred()
  end
  if budget.finish and budget.finish() then
    put("over", 0, prelude.overruns.over_memory())
  end
  if scheduler.ran then
    publish_all()
  end
  return entity.hooked or scheduler.wake_time()
end


-- The `update` hook of the only entity has run in `task`, which comes back if it is free for the next frame.
local function settle_beat(task, hook, ok, token, request)
  hook.beat = token == DONE and task.state == "instant" and not task.marked and task or nil
  if hook.beat then
    scheduler.current, hook.failures = nil, 0
  else
    settle(task, nil, ok, token, request)
  end
end
pump.settle_beat = settle_beat


-- The same as `rest` without mail, in a state where only one entity lives, as in most. What its `update` hook needs is
-- written out: it ends at once. What is `left` of a tick is its end.
local function go_on(phase, taken, left)
  local scheduler, entity, spot = scheduler, entity, entity.only -- luacheck: ignore 431
  if left then
    return wind_up(spot)
  elseif not spot or phase < 0 then
    return rest(phase, taken)
  end
  if scheduler.pending and not scheduler.run_usual(clock.now, taken) then
    if not taken then
      take_upcoming()
    end
    scheduler.run_due()
  end
  local hook = entity.beat
  if hook and not hook.paused then
    local task = hook.beat or standing.hire_beat(spot.me, hook)
    scheduler.current = task
    settle_beat(task, hook, raw_resume(task.thread, hook.fn, spot.self, clock.dt, not hook.beat and task))
  elseif entity.hooked and not hook then
    run_every_frame(phase)
  end
  return wind_up(spot)
end


local function deliver(mail, n)
  local i = 1
  while i <= n do
    local read = receive[mail[i]]
    if read then
      i = read(mail, i + 1)
    else
      i = bus.take_event(mail, i)
    end
  end
end


--- Keep a part of mail that is too long for one call; the rest comes with `pump.deliver`.
function pump.keep(...)
  local part, n = { ... }, select("#", ...)
  for i = 1, n do
    kept[count + i] = part[i]
  end
  count = count + n
end


-- Empties the outbox: its list and length; or nothing and how many values are to be fetched, where they are too many or
-- the places go by themselves.
local function take(most)
  if outbox.mixed then
    entity.written, scheduler.quiet = nil, false
  end
  local out, n = outbox.take()
  if n <= most and apart == 0 then
    return out, n
  end
  waiting, own = out, n
  n, apart = n + apart, 0
  return nil, n
end


-- What a tick with mail gives, when its mail is done.
local function leave(phase)
  local wake, x, y = rest(phase, true)
  if outbox.n + apart > 0 then
    local out, n = take(MANY)
    if not out then
      return wake, x, y, n
    end
    return wake, x, y, unpack(out, 1, n)
  elseif x then
    return wake, x, y
  end
  return wake
end


--- A tick with mail: kind, fields, shape and leaves of each piece.
function pump.deliver(now, dt, frame, phase, ...)
  local stir = scheduler.stir
  if stir then
    stir()
  end
  clock.now, clock.dt, clock.frame = now, dt, frame
  if budget.begin then
    budget.begin()
  end
  if phase >= 0 then
    take_upcoming()
  end
  if count > 0 then
    pump.keep(...)
    local mail, n = kept, count
    kept, count = {}, 0
    deliver(mail, n)
  else
    deliver({ ... }, select("#", ...))
  end
  return leave(phase)
end


-- Yields what a tick gave. lupa moves yielded values to the main state without making room for them there, so a yield
-- carries few; the world fetches longer lists with `pump.fetch`.
local function hand_over(wake, x, y)
  if outbox.n + apart == 0 then
    return yield(wake, x, y)
  end
  local out, n = take(FEW)
  if out then
    return yield(wake, x, y, unpack(out, 1, n))
  end
  return yield(wake, x, y, n)
end


--- A part of what there is to be fetched, from value number `from` to `to`, or less.
function pump.fetch(from, to)
  if from > own then
    return prelude.places.part(from - own, to - own)
  end
  return unpack(waiting, from, to < own and to or own)
end


-- The single task has run: it waits for the next frame again, or something else happens to it.
local function settle_single(task, ok, token, request)
  if request == true and token == SUSPEND and ok and task.state == "running"
    and not scheduler.pending and not scheduler.single then
    scheduler.single, scheduler.current, task.state = task, nil, "next"
  else
    settle(task, nil, ok, token, request)
  end
end
pump.settle_single = settle_single


-- The first part of a tick: runs the single task, if there is one, and gives it.
local function run_single(phase)
  if budget.begin and not budget.fresh then
    budget.begin()
  end
  local task = phase >= 0 and scheduler.single
  if task then
    scheduler.single, scheduler.current, task.state = nil, task, "running"
    settle_single(task, raw_resume(task.thread))
  end
  return task
end


-- Where the only entity is, if `task`, the only one here, waits for the next frame and nothing else is to be done.
local function place_of_calm(task)
  return task and task == scheduler.single and not task.on_end and outbox.n == 0 and scheduler.deferrals == 0
    and not late[1] and entity.plain
end


--- The pump's body: ticks without mail, for ever.
-- The usual tick is like the one before: the only task waits for the next frame, and its entity has moved. As long as that
-- is so the state is `calm`: what such a tick needs is in locals, and nothing else is written, not even that the task
-- runs. In a thousand states every table and upvalue that a tick touched would be a cold cache line. Whoever does anything
-- else calls `scheduler.stir` first, which is nil while the state is not calm. The limits do so only when they find too much.
function pump.run()
  local clock, raw_resume, yield, rawget, type = clock, raw_resume, yield, rawget, type -- luacheck: ignore 431
  local SUSPEND = SUSPEND -- luacheck: ignore 431
  local calm, inside = false, false -- and whether the task runs now
  local telling = false -- the last tick told the world something, as this one then will
  local even = false -- the last tick was one that `steady` could have run
  local task, thread, spot, self, x, y, shown, ran -- `steady` ran the entity: the end of the tick is left

  local function stir()
    if calm then
      calm, scheduler.stir, spot.x, spot.y = false, nil, x, y
      if inside then
        scheduler.single = nil
      else
        scheduler.current, task.state = nil, "next"
      end
    end
  end

  local now, dt, frame, phase = yield(true)
  while true do
    clock.now, clock.dt, clock.frame = now, dt, frame
    if calm and phase >= 0 then
      inside = true
      local ok, token, request = raw_resume(thread)
      if not (calm and request == true and token == SUSPEND and ok) then
        stir()
        settle_single(task, ok, token, request)
      end
      inside = false
    else
      local rouse = scheduler.stir -- this one, or that of who hears
      if rouse then
        rouse()
      end
      task, spot, ran = nil, nil, nil
      if even and phase >= 0 and (telling or not scheduler.single) then
        now, dt, frame, phase, ran = later_steady.run(now, dt, frame, phase)
        clock.now, clock.dt, clock.frame = now, dt, frame
      end
      if not ran and (scheduler.single or not budget.fresh) then
        task = run_single(phase)
        spot = not telling and place_of_calm(task)
      end
      if spot then
        if budget.begin then
          budget.begin()
        end
        calm, thread, self, x, y, shown = true, task.thread, spot.self, spot.x, spot.y, spot.shown
        scheduler.stir, scheduler.current, task.state = stir, task, "running"
      end
    end
    if calm and (shown or rawget(self, "sprite") ~= nil or rawget(self, "text") ~= nil
      or rawget(self, "light") ~= nil) then
      look(spot)
      shown = true
    end
    -- At the memory of a calm state the limits look soon enough: after so many instructions as in one long tick.
    if not calm then
      local wake, to_x, to_y = go_on(phase, task, ran)
      local n = outbox.n
      telling, even = n > 0, wake == true and n <= FEW and not outbox.mixed
      if outbox.mixed or n > FEW or apart > 0 then
        now, dt, frame, phase = hand_over(wake, to_x, to_y)
      else
        outbox.n, outbox.weight = 0, 0
        now, dt, frame, phase = yield(wake, to_x, to_y, unpack(outbox.list, 1, n))
      end
    else
      local to_x, to_y = rawget(self, "x"), rawget(self, "y")
      if to_x == x and to_y == y then
        now, dt, frame, phase = yield(true)
      elseif type(to_x) == "number" and type(to_y) == "number" then
        x, y = to_x, to_y
        now, dt, frame, phase = yield(x, y)
      else
        x, y = nil, nil
        now, dt, frame, phase = yield(true)
      end
    end
  end
end


--- The end of a tick outside of `pump.run`, whose mail or event has been heard; gives the values of the next tick.
function pump.end_tick(phase)
  return hand_over(rest(phase))
end


return pump
