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
local raw_resume, settle, SUSPEND = coroutine.resume, scheduler.settle, scheduler.SUSPEND
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


-- True when the entity has moved to another place that is one.
local function moved(spot, self)
  local x, y = rawget(self, "x"), rawget(self, "y")
  if x == spot.x and y == spot.y then
    return false
  end
  spot.x, spot.y = x, y
  return type(x) == "number" and type(y) == "number"
end


local function is_shown(spot, self)
  if rawget(self, "sprite") ~= nil or rawget(self, "text") ~= nil or rawget(self, "light") ~= nil then
    spot.shown = true
  end
  return spot.shown
end


-- What changed on the screen, for a state with many entities: one list of all places.
local function publish_all()
  local places, n = {}, 0
  for i = 1, #list do
    local spot = list[i].spot
    local self = spot.self
    if is_shown(spot, self) then
      show(spot.me, self)
    end
    if moved(spot, self) then
      places[n + 1], places[n + 2], places[n + 3] = spot.me.id, spot.x, spot.y
      n = n + 3
    end
  end
  if n > 0 then
    outbox.put_list("places", 0, places, n)
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


-- Yields what the tick gave; `x` is nil for a state whose only entity has not moved.
local function finish(wake, x, y)
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


-- Ticks for ever. What a tick of one moving entity needs is written out here: every function, table and upvalue is a
-- cold cache line in a thousand states.
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
    local task = scheduler.single
    if task then
      scheduler.single, scheduler.current = nil, task
      task.state = "running"
      local ok, token, request = raw_resume(task.thread)
      if request == true and token == SUSPEND and ok and task.state == "running" and not scheduler.pending then
        scheduler.single, scheduler.current = task, nil
        task.state = "next"
      else
        settle(task, nil, ok, token, request)
      end
    end
    if scheduler.pending then
      run_due()
    end
    if entity.hooked then
      run_frame_hooks(phase)
    end
  elseif phase == -2 then
    run_hooks(late, "late_update", clock.dt)
  end
  if scheduler.deferrals > 0 then
    run_deferred()
  end
  local wake = (scheduler.single or entity.hooked) and true or scheduler.pending and wake_time()
  local spot = entity.only
  if not spot then
    publish_all()
    return step(finish(wake))
  end
  local self = spot.self
  if is_shown(spot, self) then
    show(spot.me, self)
  end
  if moved(spot, self) then
    return step(finish(wake, spot.x, spot.y))
  end
  return step(finish(wake))
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
