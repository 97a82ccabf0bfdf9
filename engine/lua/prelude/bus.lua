-- The `bus` library that scripts call, and what events do with it.
-- Guarantee: each handler runs as a task of the entity that registered it, with a copy of the payload of its own.

local prelude = ...
local scheduler, outbox, decode = prelude.scheduler, prelude.posting, prelude.reading.decode
local check_function, shown, check_id = prelude.checks.check_function, prelude.checks.shown, prelude.checks.check_id

local error, next, type, setmetatable = error, next, type, setmetatable
local format = string.format
local put, put_payload = outbox.put, outbox.put_payload

local bus = prelude.mail
local receive, subscriptions, last_id = bus.receive, bus.subscriptions, 0
local ids = setmetatable({}, { __mode = "k" }) -- what a script holds -> subscription id

local OPTIONS = { coalesce = true }
local Subscription = {}

-- Asking and answering, in a file of their own.
for word, fn in next, prelude.files.on_first_call("requests", { "request", "handle" }) do
  bus[word] = fn
end


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
      error(format("%s: unknown option %s; there is \"coalesce\"", word, shown(key)), level + 1)
    end
  end
  if options.coalesce ~= nil and options.coalesce ~= "last" then
    error(format("%s: coalesce must be \"last\", got %s", word, shown(options.coalesce)), level + 1)
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
function bus.once(name, fn, options)
  check_name("bus.once", name, 2)
  check_function("bus.once", fn, 2)
  return subscribe("subscribe", name, fn, true, check_options("bus.once", options, 2)).handle
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


-- For the files of the library beside this one. Every event looks into `bus`: one place more would make that twice as long.
bus.common = { check_name = check_name, drop = drop, subscribe = subscribe, post = post }


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


--- Tell a subscription, however it listens.
local function hear(sub, event)
  if sub.paused then
    return
  elseif sub.waits then
    return prelude.awaiting.hear(sub, event)
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


function bus.library()
  return prelude.files.pick(bus, { "on", "once", "emit", "send", "request", "handle" })
end


return bus
