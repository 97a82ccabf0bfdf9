-- What the mail of one state is read with, before anybody listens. `bus` is this table too, with more in it: most of it is
-- loaded with the first word that a script, or a piece of mail, needs of it.

local prelude = ...

local type, rawget, setmetatable = type, rawget, setmetatable

local mail = {
  most_events = nil, most_subscriptions = nil, -- in a tick, and of an entity
  few = nil, -- events of a tick whose lines nobody notes
  LONGEST_NAME = 200, -- of an event, a tag, a shared value: Python keeps them
  entities = prelude.calm.entities, -- by id, filled by the entity module
  subscriptions = {},
}

-- kind of mail -> function(box, i) -> next i. Most of them stand in files that are loaded with the first of its kind.
mail.receive = setmetatable({}, { __index = function(receive, kind)
  local file = type(kind) == "string" and prelude.files.readers[kind]
  return file and prelude[file] and rawget(receive, kind)
end })


--- Event for a subscription. `bus` puts its own in this place.
function mail.take_event(box, i)
  return prelude.bus.take_event(box, i)
end


return mail
