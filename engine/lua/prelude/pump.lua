-- What a tick of a state is made of. The world sends (now, dt, frame, phase) to the state's pump, a long-lived coroutine
-- whose body is `body.lua`, and gets back when to wake the state next, where its entity is, and what it has to say. A tick
-- with mail is an ordinary call, `pump.deliver`.
-- Guarantee: nothing else enters or leaves the state while it ticks, and no error of a script ends the pump.
--
-- phase  n >= 0: due tasks, n times `fixed_update`, `update`;  -1: mail only;  -2: `late_update`;  -3: nothing yet, but
--        what the next tick needs is made ready
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

local pump = {
  READY = -3, -- a phase
  fixed_step = 1 / 60,
  told = false, -- the last tick told the world something, as this one then will
  even = false, -- the last tick was one that `steady` could have run
}

local type, select = type, select
local raw_resume, yield, used = coroutine.resume, coroutine.yield, collectgarbage
local unpack = table.unpack or unpack
local SUSPEND, settle = scheduler.SUSPEND, scheduler.settle
local take_upcoming = scheduler.take_upcoming
local receive, put = bus.receive, outbox.put
local standing, DONE = prelude.later("standing"), records.DONE
local updaters, fixed, late = entity.updaters, entity.fixed, entity.late

local MANY = 4000 -- values that a call may give back: LuaJIT's C stack has room for 8,000
local FEW = 12 -- values of operations that a yield may carry
local SOON = 0.5 -- seconds: for who sleeps longer it does not pay to load `steady`

local waiting, own = {}, 0 -- operations to be fetched, and how many values they are
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
    if entity.rolls then -- of whose failures they know nothing
      entity.rolls.update = nil
    end
  end
end
pump.settle_beat = settle_beat


-- The same as `rest` without mail, in a state where only one entity lives, as in most. What its `update` hook needs is
-- written out: it ends at once.
local function go_on(phase, taken)
  local scheduler, entity, spot = scheduler, entity, entity.only -- luacheck: ignore 431
  if not spot or phase < 0 then
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
    local ok, token, request = raw_resume(task.thread, hook.fn, spot.self, clock.dt, not hook.beat and task)
    if token == DONE and task.state == "instant" and not task.marked then
      hook.beat, hook.failures, scheduler.current = task, 0, nil
    else
      settle_beat(task, hook, ok, token, request)
    end
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
  if outbox.list == out then
    outbox.list = waiting -- somebody may put something before all is fetched
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
pump.leave = leave


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
  local out, n = take(FEW)
  if out then
    return yield(wake, x, y, unpack(out, 1, n))
  end
  return yield(wake, x, y, n)
end


--- A part of what there is to be fetched, from value number `from` to `to`, or less. Number 0 is who leads in a calm state.
function pump.fetch(from, to)
  if from == 0 then
    return prelude.body.leader()
  elseif from > own then
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


--- The first part of a tick: runs the single task, if there is one, and gives it.
function pump.run_single(phase)
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


--- The end of a tick outside of the pump's body, whose mail or event has been heard, and what runs in this frame taken
-- before; gives the values of the next tick.
function pump.end_tick(phase)
  local wake, x, y = rest(phase, true)
  if outbox.n + apart > 0 then
    return hand_over(wake, x, y)
  end
  return yield(wake, x, y)
end


--- The rest of a tick without mail whose single task has been `taken` and run, or only its end, where all has run of the
-- entity in `spot`; gives the values of the next tick.
function pump.finish(phase, taken, spot)
  local wake, x, y
  if spot then
    wake, x, y = wind_up(spot)
  else
    wake, x, y = go_on(phase, taken)
  end
  local n = outbox.n
  local soon = wake == true or wake and wake < clock.now + SOON
  pump.told, pump.even = n > 0, soon and n <= FEW and not outbox.mixed
  if n + apart > 0 then
    return hand_over(wake, x, y)
  end
  return yield(wake, x, y)
end


return pump
