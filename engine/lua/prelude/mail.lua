-- What the mail of one state is read with, before anybody listens. `bus` is this table too, with more in it: most of it is
-- loaded with the first word that a script, or a piece of mail, needs of it.

local prelude = ...

local rawget, setmetatable, pairs = rawget, setmetatable, pairs
local error, type, tostring, format, yield = error, type, tostring, string.format, coroutine.yield

local mail = {
  most_events = nil, most_subscriptions = nil, -- in a tick, and of an entity
  few = nil, -- events of a tick whose lines nobody notes
  LONGEST_NAME = 200, -- of an event, a tag, a shared value: Python keeps them
  entities = {}, -- id -> entity, filled by the entity module
  subscriptions = {},
}

-- Files that read mail and are loaded with the first of its kind.
local READERS = {
  direct = "bus", request = "requests", reply = "requests", typed = "console", result = "host", callback = "host",
  snapshot = "snapshots", load = "reload", fill = "reload", discard = "reload", resume = "reload",
  early = "early", catch_up = "early",
  final = "leaving",
}

-- kind of mail -> function(box, i) -> next i
mail.receive = setmetatable({}, { __index = function(receive, kind)
  local file = READERS[kind]
  return file and prelude[file] and rawget(receive, kind)
end })


--- Event for a subscription. `bus` puts its own in this place.
function mail.take_event(box, i)
  return prelude.bus.take_event(box, i)
end


local function hear(...)
  return prelude.hearing.listen(...)
end


--- The body of what hears events. States that hear none do without the file for that.
function mail.listen()
  return hear(yield(true))
end


--- Forget everything that `entity` listens to.
function mail.leave(entity)
  local subscriptions = mail.subscriptions
  for _, sub in pairs(entity.subscriptions) do
    sub.active, sub.handle.active = false, false
    subscriptions[sub.id] = nil
  end
  entity.subscriptions, entity.listening = {}, 0
end


--- An error, `level` blames the caller, unless `id` is one of an entity.
function mail.check_id(word, id, level)
  if type(id) ~= "number" or id % 1 ~= 0 then
    error(format("%s: expected an entity id, got %s", word, type(id) == "number" and tostring(id)
      or id == nil and "nil" or "a " .. type(id)), level + 1)
  end
end


--- Have every reader loaded.
function mail.load_readers()
  for _, file in pairs(READERS) do
    local _ = prelude[file]
  end
end


return mail
