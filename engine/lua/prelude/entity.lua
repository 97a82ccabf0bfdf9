-- The entities of one state: what each of them has, their `self`, how they begin.
-- Guarantee: whatever fails in a script is reported once, with its place, and leaves the other entities alone.

local prelude = ...
local scheduler, outbox, bus = prelude.scheduler, prelude.outbox, prelude.mail
local script, home, reading = prelude.script, prelude.home, prelude.later("reading")

local type, next, setmetatable = type, next, setmetatable
local rawget, format, insert = rawget, string.format, table.insert
local put, create = outbox.put, prelude.create

local entity = {
  most_spawns = nil, seed = nil,
  ask = nil, list = {}, updaters = {}, fixed = {}, late = {},
  only = nil, -- where the entity is, in a state that has just one
  plain = nil, -- the same, where that one has neither `update` nor `fixed_update`
  beat = nil, -- the `update` hook, where only one entity lives here and it has no `fixed_update`
  apart = false, -- the state lives in another process than the world
  entangled = false, -- an entity may reach `self` of another, through what Python gave it
  hooked = false, -- somebody has `update` or `fixed_update`
  rolls = nil, -- who calls their hooks has lists of its own
  spare = nil, -- one that is still to get its id
  unborn = nil, -- the same, whose script has been read; when it has been born, it may still stand here
}
local by_id = bus.entities
local owned = 0 -- tasks that entities had so far

-- What most entities never change stands here: an entity has room for 16 fields of its own, or for 32.
local Entity = { slot = 0, listening = 0 }
Entity.__index = Entity


--- Make the entity answer for `task`, which ends with it. Returns nothing, or why there may be no more.
-- Tasks are counted in the order in which they became an entity's, and cancelled in that order.
function Entity:own(task)
  local limit = entity.task_limit
  if self.ending then
    return format("entity %d is ending, no task can be started any more", self.id)
  elseif limit and self.task_count >= limit then
    return format("entity %d has %d live tasks, the limit (Limits.tasks); end some, or raise the limit", self.id, limit)
  end
  owned = owned + 1
  task.listed, task.number = true, owned
  self.tasks[task] = true
  self.task_count = self.task_count + 1
  return nil
end


function Entity:disown(task)
  task.listed = nil
  self.tasks[task] = nil
  self.task_count = self.task_count - 1
end


-- A state that had a second entity once has a place for each from then on.
local function join(made)
  if not scheduler.ran then
    prelude.places.join(entity.list[1])
  end
  prelude.places.join(made)
end


--- Keep what the pump looks at in every tick.
local function survey()
  entity.only = not scheduler.ran and entity.list[1] and entity.list[1].spot or nil
  entity.hooked = (entity.updaters[1] or entity.fixed[1]) and true or false
  local only = entity.only
  entity.plain = not entity.hooked and only or nil
  entity.beat = only and not entity.fixed[1] and entity.updaters[1] and only.me.hooks.update or nil
end
entity.survey = survey


-- Gives an entity what the pump needs of it.
local function fit_out(made)
  made.tasks, made.task_count, made.subscriptions, made.answers, made.modules = create(0, 1), 0, {}, {}, {}
  made.spot = { me = made, self = made.self, x = nil, y = nil, shown = false }
  return setmetatable(made, Entity)
end


-- What an entity has before anything is known of it.
function entity.blank()
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
  return fit_out(made)
end


--- Take in the entity whose script was read before there was a pump. It may have been born.
function entity.take_in(made)
  fit_out(made)
  if made.methods then
    script.find_hooks(made, made.class)
  end
  entity.list[1] = made
  entity.unborn = made.id == 0 and made or nil
  survey()
end


--- An entity without a script.
function entity.new(id, name, seed)
  local made, list = entity.spare or entity.blank(), entity.list
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
    survey()
  end
  return made
end


--- The world is told that this entity has begun.
function entity.tell_ready(me)
  put("ready", me.id)
end


-- Every-frame hooks are kept in lists, so that a tick does not look at entities that have none.
local function enlist(me)
  local hooks = me.hooks
  if not (hooks.update or hooks.fixed_update or hooks.late_update) then
    return
  end
  if hooks.update then
    insert(entity.updaters, me)
  end
  if hooks.fixed_update then
    insert(entity.fixed, me)
  end
  if hooks.late_update then
    insert(entity.late, me)
    put("late", me.id)
  end
  if entity.rolls then
    prelude.hooks.enter(me)
  end
  survey()
end
entity.enlist = enlist


--- A copy of a default value of `properties`; an error where that does not end.
function entity.copy(value)
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
        self[key] = entity.copy(value)
      end
    end
  end
end
entity.complete = complete


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
  enlist(me)
  stage.name = "start"
  if hooks.start then
    fn_of(hooks.start)(self)
  end
end


local function begin(me)
  local stage = { name = "init", failures = 0 }
  scheduler.run(me, stage, go_through, me, stage)
end
entity.begin = begin


--- Start an entity whose script has been read, where nothing is in the way.
function entity.set_out(me)
  local begins = script.announce(me, true)
  if me.properties then
    complete(me)
  end
  if begins then
    begin(me)
  end
end


--- Give a new `self` its fields: how many there are, names, values; or a shape and its leaves. Tells where they end.
function entity.read_fields(self, box, i)
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
  local me = entity.new(box[i], box[i + 1], box[i + 2])
  local after, names = entity.read_fields(me.self, box, i + 5), {}
  last_script, last_chunk, last_text, last_names = me.script, box[i + 3], box[i + 4], names
  for n = 1, type(box[i + 5]) == "number" and box[i + 5] or 0 do
    names[n] = box[i + 5 + n]
  end
  if script.read(me, box[i + 3], box[i + 4]) then
    entity.set_out(me)
  end
  return after
end


-- One more with the same script and fields of the same names: id, seed, values.
function bus.receive.another(box, i)
  local me, names = entity.new(box[i], last_script, box[i + 1]), last_names
  local self = me.self
  for n = 1, #names do
    self[names[n]] = box[i + 1 + n]
  end
  if script.read(me, last_chunk, last_text) then
    entity.set_out(me)
  end
  return i + 2 + #names
end


return entity
