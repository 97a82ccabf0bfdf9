-- The entities of one state: what each of them has, and which of them the pump looks at. How those begin that do not lie
-- in wait for their birth stands in `births`.

local prelude = ...
local scheduler, put = prelude.scheduler, prelude.outbox.put

local setmetatable, format, insert = setmetatable, string.format, table.insert
local create = prelude.create

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


--- Keep what the pump looks at in every tick.
local function survey()
  entity.only = not scheduler.ran and entity.list[1] and entity.list[1].spot or nil
  entity.hooked = (entity.updaters[1] or entity.fixed[1]) and true or false
  local only = entity.only
  entity.plain = not entity.hooked and only or nil
  entity.beat = only and not entity.fixed[1] and entity.updaters[1] and only.me.hooks.update or nil
end
entity.survey = survey


--- Give an entity what the pump needs of it.
local function fit_out(made)
  made.tasks, made.task_count, made.subscriptions, made.answers, made.modules = create(0, 1), 0, {}, {}, {}
  made.spot = { me = made, self = made.self, x = nil, y = nil, shown = false }
  return setmetatable(made, Entity)
end
entity.fit_out = fit_out


--- Take in the entity whose script was read before there was a pump. It may have been born.
function entity.take_in(made)
  fit_out(made)
  entity.list[1] = made
  entity.unborn = made.id == 0 and made or nil
  survey()
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


return entity
