-- The `bus` library that scripts call, and what the world's mail does with it.
-- Guarantee: each handler runs as a task of the entity that registered it, with a copy of the payload of its own.

local prelude = ...
local scheduler, outbox, wait = prelude.scheduler, prelude.posting, prelude.wait
local fault, suspension, decode = prelude.later("fault"), prelude.later("suspension"), prelude.reading.decode
local checks, request_of = prelude.checks, wait.request_of
local check_seconds, check_function = checks.check_seconds, checks.check_function
local check_id = prelude.mail.check_id

local error, next, type, tostring, setmetatable = error, next, type, tostring, setmetatable
local format, getinfo = string.format, debug.getinfo
local put, put_payload = outbox.put, outbox.put_payload

local bus = prelude.mail
local receive, subscriptions, last_id = bus.receive, bus.subscriptions, 0
local pending, last_token = {}, 0
local waiters = setmetatable({}, { __mode = "k" }) -- task -> the subscription that woke it in this tick
local ids = setmetatable({}, { __mode = "k" }) -- what a script holds -> subscription id

local OPTIONS = { coalesce = true }
local Subscription = {}


local function check_name(word, name, level)
  if type(name) == "string" and #name > bus.LONGEST_NAME then
    error(format("%s: the event's name has %d bytes, %d at most; what changes belongs into the payload", word, #name,
      bus.LONGEST_NAME), level + 1)
  elseif type(name) ~= "string" or name == "" then
    error(format("%s: the event's name must be a string, got %s", word,
      name == "" and "an empty one" or name == nil and "nil" or "a " .. type(name)), level + 1)
  end
end


local function check_options(word, options, level)
  if options == nil then
    return nil
  elseif type(options) ~= "table" then
    error(format("%s: options must be a table, got a %s", word, type(options)), level + 1)
  end
  for key in next, options do -- what a metatable says of them could go on for ever
    if not OPTIONS[key] then
      error(format("%s: unknown option %q; there is \"coalesce\"", word, tostring(key)), level + 1)
    end
  end
  if options.coalesce ~= nil and options.coalesce ~= "last" then
    error(format("%s: coalesce must be \"last\", got %q", word, tostring(options.coalesce)), level + 1)
  end
  return options.coalesce
end


local function drop(sub)
  if sub.active then
    sub.active = false
    sub.handle.active = false
    subscriptions[sub.id] = nil
    sub.entity.subscriptions[sub.id] = nil
    sub.entity.listening = sub.entity.listening - 1
    put("unsubscribe", sub.entity.id, sub.id)
  end
end


local function subscribe(word, name, fn, once, coalesce)
  local entity = scheduler.current.entity
  outbox.check("bus.on", 3, 0, name, coalesce or false)
  if entity.listening >= bus.most_subscriptions then
    error(format("bus.on: entity %d has %d subscriptions, the limit (Limits.subscriptions); cancel those that are "
      .. "over, or raise the limit", entity.id, entity.listening), 3)
  end
  entity.listening = entity.listening + 1
  last_id = last_id + 1
  local handle = setmetatable({ active = true }, Subscription)
  local sub = {
    id = last_id, name = name, fn = fn, once = once, entity = entity, active = true, handle = handle, failures = 0,
    often = not once and fn or nil, -- what to run where nothing else is to be done
  }
  subscriptions[last_id] = sub
  entity.subscriptions[last_id] = sub
  ids[handle] = last_id
  put(word, entity.id, last_id, name, coalesce or false)
  return sub
end


--- Stop listening; also while the event is being delivered, also twice.
local function cancel(handle)
  local sub = subscriptions[ids[handle] or false]
  if sub then
    drop(sub)
  end
end
Subscription.__index = { cancel = cancel }
Subscription.__metatable = false


--- Call `fn(event)` for every event of this name ("door.*" for the family); returns the subscription.
function bus.on(name, fn, options)
  check_name("bus.on", name, 2)
  check_function("bus.on", fn, 2)
  return subscribe("subscribe", name, fn, false, check_options("bus.on", options, 2)).handle
end


--- The same for the next such event only.
function bus.once(name, fn)
  check_name("bus.once", name, 2)
  check_function("bus.once", fn, 2)
  return subscribe("subscribe", name, fn, true).handle
end


--- What `shared.watch` does: `fn(event)` when the shared value `key` has changed.
function bus.subscribe_watch(key, fn)
  return subscribe("watch", key, fn, false).handle
end


-- Puts an event into the outbox, which holds no more of them than a mailbox.
local function post(word, operation, name, target, token, value)
  local events = outbox.events + 1
  if events > bus.few then
    prelude.crowd.note(word, name, events)
  end
  local reason = put_payload(operation, scheduler.current.entity.id, name, target, token, value)
  if reason then
    error(word .. ": " .. reason, 3)
  end
  outbox.events = events
end


--- Tell everybody who listens.
function bus.emit(name, value)
  check_name("bus.emit", name, 2)
  post("bus.emit", "emit", name, 0, 0, value)
end


--- Tell one entity.
function bus.send(id, name, value)
  check_id("bus.send", id, 2)
  check_name("bus.send", name, 2)
  post("bus.send", "send", name, id, 0, value)
end


--- Ask one entity and wait for its answer; an error after `timeout` seconds, and where nobody can answer.
function bus.request(id, name, value, timeout)
  check_id("bus.request", id, 2)
  check_name("bus.request", name, 2)
  if timeout ~= nil then
    check_seconds("bus.request", timeout, 2)
  end
  suspension.check_can_wait("bus.request", 2)
  local me = scheduler.current
  last_token = last_token + 1
  local token = last_token
  post("bus.request", "request", name, id, token, value)
  pending[token] = me
  local function forget()
    pending[token] = nil
    put("forget", me.entity.id, token)
  end
  me.abandon = forget
  local ok, reply = suspension.suspend("bus.request", 2, timeout and request_of(timeout) or nil)
  me.abandon = nil
  if pending[token] then
    forget()
    error(format("bus.request: entity %d did not answer %q within %g s", id, name, timeout), 2)
  elseif not ok then
    error("bus.request: " .. reply, 2)
  end
  return reply
end


-- "scripts/door.lua:12" where a function begins, or nothing for an object that can be called.
local function place_of(fn)
  return type(fn) == "function" and fault.place(fn, getinfo(fn, "S").linedefined) or nil
end


-- Two handlers of one name are most often a mistake, of which nothing else would tell: the first is never called again.
local function warn_of_second(entity, before)
  local place, line = fault.caller(5)
  put("log", entity.id, "warn", format("bus.handle: entity %d answers %q already; from here on this handler does, and that of "
    .. "%s no more. Give one of them another name, if both are to answer", entity.id, before.name,
    place_of(before.fn) or "before"), place or entity.script, line)
end


--- Answer requests of this name with what `fn(event)` returns. The newest handler of a name counts, and the first to take
--- the place of another is a line in the log.
function bus.handle(name, fn)
  check_name("bus.handle", name, 2)
  check_function("bus.handle", fn, 2)
  local entity = scheduler.current.entity
  local before = entity.answers[name]
  if before and not before.second then
    warn_of_second(entity, before)
  end
  entity.answers[name] = { fn = fn, name = name, answers = true, failures = 0, second = before and true }
end


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
function bus.wait_event(name, timeout)
  check_name("task.wait_event", name, 2)
  if timeout ~= nil then
    check_seconds("task.wait_event", timeout, 2)
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


--- Tell a subscription, however it listens.
local function hear(sub, event)
  if sub.paused then
    return
  elseif sub.waits then
    local me = sub.sleeper
    if me then
      sub.sleeper = nil
      linger(me, sub)
      suspension.wake(me, event)
    end
    return
  elseif sub.once then
    drop(sub)
  end
  scheduler.run(sub.entity, sub, sub.fn, event)
end
bus.hear = hear


--- Event for a subscription: id, name, sender (false for the engine), shape, leaves.
function bus.take_event(box, i)
  local sub = subscriptions[box[i]]
  local value, after = decode(box[i + 3], box, i + 4)
  if sub then
    hear(sub, { name = box[i + 1], payload = value, sender = box[i + 2] or nil })
  end
  return after
end


-- Event sent straight to an entity that no subscription takes: entity, name, sender, shape, leaves.
function receive.direct(box, i)
  local entity = bus.entities[box[i]]
  local value, after = decode(box[i + 3], box, i + 4)
  local hook = entity and entity.hooks.on_event
  if hook and not hook.paused then
    local event = { name = box[i + 1], payload = value, sender = box[i + 2] or nil }
    scheduler.run(entity, hook, hook.fn, entity.self, event)
  end
  return after
end


-- A request: entity, name, sender, token of the asker, shape, leaves.
function receive.request(box, i)
  local id, name, sender, token = box[i], box[i + 1], box[i + 2], box[i + 3]
  local value, after = decode(box[i + 4], box, i + 5)
  local entity = bus.entities[id]
  local answer = entity and entity.answers[name]
  if not answer then
    put_payload("reply", id, sender, token, "none", nil)
    return after
  elseif answer.paused then
    local why = format("it failed %d times in a row and is paused until its script reloads", answer.failures)
    put_payload("reply", id, sender, token, "error", why)
    return after
  end
  local event = { name = name, payload = value, sender = sender or nil }
  local function respond()
    local reason = put_payload("reply", id, sender, token, "ok", answer.fn(event), "reply")
    if reason then
      local place = place_of(answer.fn)
      error((place and place .. ": " or "") .. "bus.handle: " .. reason, 0)
    end
  end
  local function failed(ok, problem)
    if not ok and not entity.leaving then -- that it ended, the world tells
      put_payload("reply", id, sender, token, "error", fault.told(problem), "reply")
    end
  end
  suspension.run_watched(entity, answer, failed, respond)
  return after
end


-- The answer to a request or a host call: token, whether it is one (else the payload says what went wrong), shape, leaves.
function receive.reply(box, i)
  local token = box[i]
  local value, after = decode(box[i + 2], box, i + 3)
  local waiting = pending[token]
  if waiting then
    pending[token] = nil
    suspension.wake(waiting, box[i + 1], value)
  end
  return after
end


function bus.library()
  return prelude.sandbox.pick(bus, { "on", "once", "emit", "send", "request", "handle" })
end


return bus
