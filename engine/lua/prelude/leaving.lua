-- The end of an entity.
-- Guarantee: nothing of it runs after its clean-ups, and the state keeps nothing of it.

local prelude = ...
local scheduler, stops, bus, entity = prelude.scheduler, prelude.stops, prelude.mail, prelude.entity

local remove = table.remove
local by_id = bus.entities

local leaving = {}


local function strike(list, me)
  for i = #list, 1, -1 do
    if list[i] == me then
      remove(list, i)
    end
  end
end


-- Forgets everything that it listens to.
local function hang_up(me)
  local subscriptions = bus.subscriptions
  for _, sub in pairs(me.subscriptions) do
    sub.active, sub.handle.active = false, false
    subscriptions[sub.id] = nil
  end
  me.subscriptions, me.listening = {}, 0
end


--- Forget an entity, its tasks, what it listens to and what Python holds of it.
function leaving.remove(me)
  me.leaving = true
  stops.cancel_all(me)
  hang_up(me)
  local kept = rawget(prelude, "kept")
  if kept then
    kept.leave(me.id)
  end
  strike(entity.updaters, me)
  strike(entity.fixed, me)
  strike(entity.late, me)
  strike(entity.list, me)
  if entity.rolls then
    prelude.hooks.leave(me)
  end
  if scheduler.ran then
    prelude.places.leave(me)
  end
  entity.survey()
  by_id[me.id] = nil
end


-- End of an entity: id, reason.
function bus.receive.final(box, i)
  local me = by_id[box[i]]
  if me then
    local hook = me.hooks.final
    if hook then
      scheduler.call(me, "final", hook.fn, me.self, box[i + 1])
    end
    leaving.remove(me)
  end
  return i + 2
end


return leaving
