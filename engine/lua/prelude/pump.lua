-- What crosses in a tick of a state: what it takes in and what it gives out. The world sends (now, dt, frame, phase) to the
-- state's pump, a long-lived coroutine whose body is `body.lua`, and gets back when to wake the state next, where its entity
-- is, and what it has to say. A tick with mail is an ordinary call, `pump.deliver`. What runs meanwhile is in `tick.lua`.
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
local scheduler, clock, outbox, budget = prelude.scheduler, prelude.clock, prelude.outbox, prelude.budget
local bus, entity, tick = prelude.mail, prelude.entity, prelude.tick

-- This table too: a tick should touch few tables.
local pump = tick
pump.READY = -3 -- a phase
pump.told = false -- the last tick told the world something, as this one then will
pump.even = false -- the last tick was one that `steady` could have run

local select, yield = select, coroutine.yield
local unpack = table.unpack or unpack
local receive, take_upcoming = bus.receive, scheduler.take_upcoming
local rest, go_on, wind_up = tick.rest, tick.go_on, tick.wind_up

local MANY = 4000 -- values that a call may give back: LuaJIT's C stack has room for 8,000
local FEW = 16 -- values of operations that a yield may carry
local SHOWN = 12 -- and one in a tick that `steady` runs
local SOON = 0.5 -- seconds: for who sleeps longer it does not pay to load `steady`

local waiting, own = {}, 0 -- operations to be fetched, and how many values they are
local kept, count = {}, 0 -- mail that came in parts

entity.written = nil -- shared values set in this tick


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
  if n <= most and pump.apart == 0 then
    return out, n
  end
  if outbox.list == out then
    outbox.list = waiting -- somebody may put something before all is fetched
  end
  waiting, own = out, n
  n, pump.apart = n + pump.apart, 0
  return nil, n
end


-- What a tick with mail gives, when its mail is done.
local function leave(phase)
  local wake, x, y = rest(phase, true)
  if outbox.n + pump.apart > 0 then
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
  scheduler.rouse()
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


--- The end of a tick outside of the pump's body, whose mail or event has been heard, and what runs in this frame taken
-- before; gives the values of the next tick.
function pump.end_tick(phase)
  local wake, x, y = rest(phase, true)
  if outbox.n + pump.apart > 0 then
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
  pump.told, pump.even = n > 0, soon and n <= SHOWN and not outbox.mixed
  if n + pump.apart > 0 then
    return hand_over(wake, x, y)
  end
  return yield(wake, x, y)
end


return pump
