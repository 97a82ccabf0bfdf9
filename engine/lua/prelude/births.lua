-- How entities begin that do not lie in wait for their birth: they are made, get their fields, and run their first hooks.
-- Guarantee: whatever fails in a script is reported once, with its place, and leaves the other entities alone.

local prelude = ...
local scheduler, bus, home = prelude.scheduler, prelude.mail, prelude.home
local entity, script, reading = prelude.entity, prelude.script, prelude.later("reading")

local type, next, rawget = type, next, rawget
local create = prelude.create

local births = {}

local by_id = bus.entities


-- A state that had a second entity once has a place for each from then on.
local function join(made)
  if not scheduler.ran then
    prelude.places.join(entity.list[1])
  end
  prelude.places.join(made)
end


-- What an entity has before anything is known of it.
function births.blank()
  local made = home.entity
  if made then
    home.entity = nil
  else
    made = {
      id = 0, script = "", seed = 0, self = create(0, 8), env = create(0, 32), hooks = {}, tasks = nil, task_count = nil,
      subscriptions = nil, answers = nil, modules = nil, spot = nil,
    }
    prelude.environment(made)
  end
  return entity.fit_out(made)
end


--- An entity without a script.
function births.new(id, name, seed)
  local made, list = entity.spare or births.blank(), entity.list
  made.id, made.script, made.seed = id, name, seed
  entity.spare, by_id[id] = nil, made
  if entity.unborn and entity.unborn.id == 0 then -- another script was read for it
    entity.unborn, list[1] = nil, nil
  end
  if id > 0 then
    list[#list + 1] = made
    if list[2] or scheduler.ran then
      join(made)
    end
    entity.survey()
  end
  return made
end


--- A copy of a default value of `properties`; an error where that does not end.
function births.copy(value)
  return type(value) == "table" and prelude.defaults.copy(value) or value
end


--- Give `self` the defaults of the properties that are missing.
local function complete(me)
  local self, properties = me.self, me.properties
  if scheduler.ran then
    scheduler.mark(me)
  end
  if properties then
    for key, value in next, properties do
      if rawget(self, key) == nil then
        self[key] = births.copy(value)
      end
    end
  end
end
births.complete = complete


-- What has no name is told by its line in a traceback.
local function fn_of(hook)
  return hook.fn
end


-- Body of the first task. Errors name the `stage`, which is "init" at first. With one value more on its stack the thread of
-- each entity would take twice the memory.
local function go_through(me, stage)
  local self, hooks = me.self, me.hooks
  if hooks.init then
    fn_of(hooks.init)(self)
  end
  entity.tell_ready(me)
  entity.enlist(me)
  stage.name = "start"
  if hooks.start then
    fn_of(hooks.start)(self)
  end
end


local function begin(me)
  local stage = { name = "init", failures = 0 }
  scheduler.run(me, stage, go_through, me, stage)
end
births.begin = begin


--- Start an entity whose script has been read, where nothing is in the way.
function births.set_out(me)
  local begins = script.announce(me, true)
  if me.properties then
    complete(me)
  end
  if begins then
    begin(me)
  end
end


--- Give a new `self` its fields: how many there are, names, values; or a shape and its leaves. Tells where they end.
function births.read_fields(self, box, i)
  local count = box[i]
  if type(count) ~= "number" then
    local fields, after = reading.decode(count, box, i + 1)
    for key, value in next, fields do
      self[key] = value
    end
    return after
  end
  for at = i + 1, i + count do
    self[box[at]] = box[at + count]
  end
  return i + 1 + 2 * count
end


-- Of the entity that was last made with all its mail: script, chunk, text, and the names of its fields.
local last_script, last_chunk, last_text, last_names


-- New entity, to be loaded and started: id, script, seed, chunk, text, fields.
function bus.receive.create(box, i)
  local me = births.new(box[i], box[i + 1], box[i + 2])
  local after, names = births.read_fields(me.self, box, i + 5), {}
  last_script, last_chunk, last_text, last_names = me.script, box[i + 3], box[i + 4], names
  for n = 1, type(box[i + 5]) == "number" and box[i + 5] or 0 do
    names[n] = box[i + 5 + n]
  end
  if script.read(me, box[i + 3], box[i + 4]) then
    births.set_out(me)
  end
  return after
end


-- One more with the same script and fields of the same names: id, seed, values.
function bus.receive.another(box, i)
  local me, names = births.new(box[i], last_script, box[i + 1]), last_names
  local self = me.self
  for n = 1, #names do
    self[names[n]] = box[i + 1 + n]
  end
  if script.read(me, last_chunk, last_text) then
    births.set_out(me)
  end
  return i + 2 + #names
end


return births
