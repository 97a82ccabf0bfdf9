-- `task.wait_event`: the calling task goes on with an event.
-- Guarantee: who waits for the same again, in the tick in which an event woke it, misses none that came together with it.

local prelude = ...
local scheduler, bus, checks = prelude.scheduler, prelude.bus, prelude.checks
local suspension, request_of = prelude.suspension, prelude.waiting.request_of
local drop, subscribe, check_name = bus.common.drop, bus.common.subscribe, bus.common.check_name

local setmetatable = setmetatable

local awaiting = {}

local waiters = setmetatable({}, { __mode = "k" }) -- task -> the subscription that woke it in this tick


-- The subscription that `me` waits with: that which woke it in this tick, where it waits for the same again. So events
-- that came together are heard one after the other. A record may have become that of another task meanwhile.
local function waiter(me, name)
  local sub = waiters[me]
  if not sub or sub.name ~= name or not sub.active or sub.sleeper or sub.woke ~= me.number or not me.listed then
    sub = subscribe("subscribe", name, nil, false)
    sub.waits = true
  end
  sub.sleeper = me
  return sub
end


-- Keeps a subscription that woke its task until the end of the tick, unless the task waits with it again by then.
local function linger(me, sub)
  waiters[me], sub.woke = sub, me.number
  if not sub.lingers then
    sub.lingers = true
    prelude.deferral.at_tick_end(function()
      sub.lingers, waiters[me] = nil, nil
      if not sub.sleeper then
        drop(sub)
      end
    end)
  end
end


--- Suspend until the next such event; nil when `timeout` seconds passed first.
function awaiting.wait_event(name, timeout)
  check_name("task.wait_event", name, 2)
  if timeout ~= nil then
    checks.check_seconds("task.wait_event", timeout, 2)
  end
  local me = scheduler.current
  local sub = waiter(me, name)
  me.abandon = function()
    sub.sleeper = nil
    drop(sub)
  end
  local event = suspension.suspend("task.wait_event", 2, timeout and request_of(timeout) or nil)
  me.abandon = nil
  if not event then
    sub.sleeper = nil
    drop(sub)
  end
  return event
end


--- An event for a subscription that a task waits with.
function awaiting.hear(sub, event)
  local me = sub.sleeper
  if me then
    sub.sleeper = nil
    linger(me, sub)
    suspension.wake(me, event)
  end
end


return awaiting
