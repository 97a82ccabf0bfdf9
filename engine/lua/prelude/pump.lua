-- The pump: one long-lived coroutine per state. The world sends it (now, dt, frame, phase, mail...) and gets back when to
-- wake it next and what the state has to say.
-- Guarantee: nothing else enters or leaves the state while it ticks, and no error of a script ends the pump.
--
-- phase  n >= 0: mail, due tasks, n times `fixed_update`, `update`;  -1: mail only;  -2: `late_update`
-- yields wake                         nothing else happened
--        wake, x, y                   the only entity moved
--        wake, x, y, operations...    and more
--        wake, x, y, n                and n values of operations, to be fetched with `pump.fetch`
-- wake is true (next frame), a time, or false (asleep)

local prelude = ...
local scheduler, clock, outbox = prelude.scheduler, prelude.clock, prelude.outbox
local bus, entity, fault = prelude.bus, prelude.entity, prelude.fault

local pump = {}

local type, rawget, select, tostring = type, rawget, select, tostring
local yield = coroutine.yield
local unpack = table.unpack or unpack
local run_due, wake_time, run_deferred = scheduler.run_due, scheduler.wake_time, scheduler.run_deferred
local receive, put, put_payload = bus.receive, outbox.put, outbox.put_payload
local list, updaters, fixed, late = entity.list, entity.updaters, entity.fixed, entity.late

local FEW = 12 -- values of operations that a yield may carry
local SHOWN = { "sprite", "frame", "layer", "angle", "scale", "flip", "alpha", "visible", "text", "color", "light" }

local box, boxed = nil, 0 -- mail that came in parts
local waiting = nil -- operations to be fetched


local function scalar(value)
  local kind = type(value)
  return (kind == "number" or kind == "string" or kind == "boolean") and value or nil
end


-- What the window shows of an entity, besides its place.
local function show(me, self)
  local seen = me.seen
  local changed = false
  if not seen then
    seen = {}
    me.seen = seen
  end
  for i = 1, #SHOWN do
    local field = SHOWN[i]
    local value = rawget(self, field)
    if value ~= seen[field] then
      seen[field] = value
      changed = true
    end
  end
  if changed then
    local view = {}
    for i = 1, #SHOWN do
      local field = SHOWN[i]
      local value = seen[field]
      view[field] = field == "color" and value or scalar(value)
    end
    local reason = put_payload("view", me.id, 0, 0, 0, view, "self")
    if reason then
      put("log", me.id, "warn", reason, me.script, 0)
    end
  end
end


-- Tells the world what changed on the screen; true when the entity has moved.
local function publish(spot)
  local self = spot.self
  if spot.shown or rawget(self, "sprite") ~= nil or rawget(self, "text") ~= nil or rawget(self, "light") ~= nil then
    spot.shown = true
    show(spot.me, self)
  end
  local x, y = rawget(self, "x"), rawget(self, "y")
  if x ~= spot.x or y ~= spot.y then
    spot.x, spot.y = x, y
    return type(x) == "number" and type(y) == "number"
  end
  return false
end


local function publish_all()
  for i = 1, #list do
    local spot = list[i].spot
    if publish(spot) then
      put("place", spot.me.id, spot.x, spot.y)
    end
  end
end


-- Yields what there is to say. lupa moves yielded values to the main state without making room for them there, so a
-- yield carries few; the world fetches longer lists with `pump.fetch`.
local function hand_over(wake, x, y, out, n)
  if n <= FEW then
    return yield(wake, x, y, unpack(out, 1, n))
  end
  waiting = out
  return yield(wake, x, y, n)
end


--- A part of the list whose length was yielded.
function pump.fetch(from, to)
  return unpack(waiting, from, to)
end


local function finish()
  local x, y = nil, nil
  local only = entity.only
  if not only then
    publish_all()
  elseif publish(only) then
    x, y = only.x, only.y
  end
  local wake = entity.hooked or wake_time()
  if outbox.n > 0 then
    entity.written = {}
    return hand_over(wake, x, y, outbox.take())
  elseif x then
    return yield(wake, x, y)
  end
  return yield(wake)
end


local function deliver(mail, n)
  local i = 1
  while i <= n do
    i = receive[mail[i]](mail, i + 1)
  end
end


local function run_hooks(lists, name, dt)
  local n = #lists
  for i = 1, n do
    local me = lists[i]
    local hook = me and me.hooks[name]
    if hook and not hook.paused then
      scheduler.call_hook(me, hook, me.self, dt)
    end
  end
end


local function run_frame_hooks(phase)
  for _ = 1, phase do
    run_hooks(fixed, "fixed_update", pump.fixed_step)
  end
  run_hooks(updaters, "update", clock.dt)
end


local function keep(...)
  local part, n = { ... }, select("#", ...)
  box = box or {}
  for i = 1, n do
    box[boxed + i] = part[i]
  end
  boxed = boxed + n
end


local function mail_of(...)
  if box then
    keep(...)
    local mail, n = box, boxed
    box, boxed = nil, 0
    return mail, n
  end
  return { ... }, select("#", ...)
end


local function step(now, dt, frame_number, phase, mail, ...)
  if not now then
    keep(mail, ...)
    return step(yield(nil))
  end
  clock.now, clock.dt, clock.frame = now, dt, frame_number
  if mail or box then
    deliver(mail_of(mail, ...))
  end
  if phase >= 0 then
    run_due()
    if entity.hooked then
      run_frame_hooks(phase)
    end
  elseif phase == -2 then
    run_hooks(late, "late_update", clock.dt)
  end
  if scheduler.deferrals > 0 then
    run_deferred()
  end
  return step(finish())
end


function scheduler.on_failure(task, value, trace)
  local me = task.entity
  local maker = task.maker and fault.place(task.maker, task.made_at) or false
  local callback = task.callback
  put("problem", me.id, fault.describe(value), trace, maker,
    callback and callback.name or task.instant or false, callback and callback.id and true or false)
end


function scheduler.on_pause(task, callback)
  put("paused", task.entity.id, tostring(callback.name), callback.failures)
end


--- The pump's body.
function pump.run()
  return step(yield(true))
end


entity.written = {} -- shared values set in this tick
pump.fixed_step = 1 / 60


return pump
