-- What the world has an entity do: begin, where it could not at once, and its hooks for input.

local prelude = ...
local scheduler, births, reading = prelude.scheduler, prelude.later("births"), prelude.later("reading")
local receive, by_id = prelude.mail.receive, prelude.mail.entities

local calling = {}


-- First start of a loaded entity: id.
function receive.boot(box, i)
  births.begin(by_id[box[i]])
  return i + 1
end


-- A hook called by the world: entity, hook, shape of its argument, leaves.
function receive.hook(box, i)
  local me = by_id[box[i]]
  local value, after = reading.decode(box[i + 2], box, i + 3)
  local hook = me and me.hooks[box[i + 1]]
  if hook and not hook.paused then
    scheduler.run(me, hook, hook.fn, me.self, value)
  end
  return after
end


return calling
