-- The entities of one state: loading their script, their hooks, `self`, and the `entity` library that scripts call.
-- Guarantee: whatever fails in a script is reported once, with its place, and leaves the other entities alone.

local prelude = ...
local scheduler, records, outbox, bus = prelude.scheduler, prelude.records, prelude.outbox, prelude.mail
local reading, refusals, sandbox = prelude.later("reading"), prelude.later("refusals"), prelude.sandbox

local error, type, next, setmetatable = error, type, next, setmetatable
local rawget, setfenv, format, sub = rawget, setfenv, string.format, string.sub
local sort, insert = table.sort, table.insert
local getinfo = debug.getinfo
local put = outbox.put

local HOOKS = {
  init = true, start = true, update = true, fixed_update = true, late_update = true, on_event = true,
  on_input = true, on_reload = true, final = true,
}

local MOST_METHODS, LONGEST_METHOD = 200, 40 -- that are looked at for misspelt hooks

local entity = {
  most_spawns = 1 / 0, seed = 0,
  ask = nil, list = {}, updaters = {}, fixed = {}, late = {},
  only = nil, -- where the entity is, in a state that has just one
  plain = nil, -- the same, where that one has neither `update` nor `fixed_update`
  beat = nil, -- the `update` hook, where only one entity lives here and it has no `fixed_update`
  apart = false, -- the state lives in another process than the world
  entangled = false, -- an entity may reach `self` of another, through what Python gave it
  hooked = false, -- somebody has `update` or `fixed_update`
  rolls = nil, -- who calls their hooks has lists of its own
}
local by_id = bus.entities
local spare = nil -- an entity that is still to get its id
local last_text, last_name, make = nil, nil, nil -- the text that was read last, and what makes its functions
local found = nil -- the table of the script that is being loaded
local owned = 0 -- tasks that entities had so far

local NONE = {}

local Entity = {}
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


-- What an entity has before anything is known of it; `sandbox` gives it an environment of its own.
local function blank()
  local made = setmetatable({
    id = 0, script = "", tasks = {}, task_count = 0, subscriptions = {}, listening = 0,
    answers = {}, hooks = {}, modules = {}, seed = 0, self = {}, slot = 0,
  }, Entity)
  made.spot = { me = made, self = made.self, x = nil, y = nil, shown = false }
  made.env = sandbox.environment(made)
  return made
end


--- An entity without a script.
function entity.new(id, script, seed)
  local made = spare or blank()
  spare, made.id, made.script, made.seed = nil, id, script, seed
  by_id[id] = made
  if id > 0 then
    local list = entity.list
    list[#list + 1] = made
    if list[2] or scheduler.ran then
      join(made)
    end
    survey()
  end
  return made
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


-- Registers the hooks of a script's table; a misspelt one is told to the world, which knows what is near.
local function find_hooks(me, script)
  local names, told = {}, 0
  for key, value in next, script do
    if type(key) == "string" and type(value) == "function" and #key <= LONGEST_METHOD then
      names[#names + 1] = key
    end
  end
  if names[2] then
    sort(names)
  end
  for i = 1, #names do
    local name = names[i]
    local fn = rawget(script, name)
    if HOOKS[name] then
      me.hooks[name] = { name = name, fn = fn, failures = 0 }
    elseif told < MOST_METHODS then
      told = told + 1
      put("method", me.id, name, getinfo(fn, "S").linedefined)
    end
  end
  if me.hooks.on_input then
    put("input", me.id)
  end
end


local function compile_for_all(text, name)
  return prelude.compile((setfenv and "" or "local _ENV = ... ") .. "return function(...) " .. text .. "\nend", name, {})
end


-- The function of a script's text in `env`. From the second entity on, all share its code: what is compiled once gives each
-- a function of its own. The text has been compiled by itself before, so it is the whole body of that function.
local function compile(text, name, env)
  if text ~= last_text or name ~= last_name then
    last_text, last_name, make = text, name, nil
    return prelude.compile(text, name, env)
  end
  make = make or compile_for_all(text, name)
  if not make then
    return prelude.compile(text, name, env)
  end
  local fn = make(env)
  return setfenv and setfenv(fn, env) or fn
end


--- Make what the first entity will need, whatever its script.
function entity.make_ahead()
  spare = blank()
  records.release(records.hire())
end


--- Compile the text of a script before there is an entity for it, and copy the libraries that it names; whatever is wrong
-- with it will be told to that one.
function entity.read_ahead(text, chunk)
  if prelude.compile(text, "@" .. chunk, {}) then
    last_text, last_name, make = text, "@" .. chunk, compile_for_all(text, "@" .. chunk)
    sandbox.prepare(spare, text)
  end
end


-- Runs the script's text and has `found` the table it returns.
local function read_script(me, chunk, text)
  local fn, problem = compile(text, "@" .. chunk, me.env)
  if not fn then
    error(problem, 0)
  end
  local script = fn()
  if type(script) ~= "table" then
    refusals.no_script(script, me.script, chunk, text)
  end
  if rawget(script, "properties") ~= nil then
    refusals.check_properties(rawget(script, "properties"))
  end
  for key, value in next, script do
    if HOOKS[key] and type(value) ~= "function" then
      refusals.no_hook(script, me.script)
    end
  end
  found = script
end


local function word_of(value)
  value = outbox.scalar(value) or false
  return type(value) == "string" and sub(value, 1, LONGEST_METHOD) or value
end


-- Gives whether there is a script now, and whether it is to begin at once. That it `may`, but not where it did something
-- already, or where it is to live by another clock: the world sees to that first.
local function load_script(me, chunk, text, may)
  scheduler.call(me, "loading a script", read_script, me, chunk, text)
  local script = found
  if not script then
    return false
  end
  found = nil
  local isolation, clock = rawget(script, "isolation") or false, rawget(script, "clock") or false
  if isolation or clock then
    isolation, clock = word_of(isolation), word_of(clock)
  end
  local begins = may and outbox.n == 0 and not isolation and not clock or false
  put("script", me.id, isolation, clock, begins)
  find_hooks(me, script)
  local properties = rawget(script, "properties")
  me.properties = type(properties) == "table" and properties or NONE
  setmetatable(me.self, { __index = script, __metatable = false })
  return true, begins
end
entity.load_script = load_script


-- Gives `self` the defaults of the properties that are missing.
local function complete(me)
  local self = me.self
  if scheduler.ran then
    scheduler.mark(me)
  end
  for key, value in next, me.properties or NONE do
    if rawget(self, key) == nil then
      self[key] = entity.copy(value)
    end
  end
end


--- Give `self` these fields, then the defaults of the properties that are missing.
function entity.fill(me, fields)
  local self = me.self
  for key, value in next, fields do
    self[key] = value
  end
  complete(me)
end


local function run_hook(me, name, ...)
  local hook = me.hooks[name]
  if hook then
    hook.fn(me.self, ...)
  end
end
entity.run_hook = run_hook


-- Body of the first task. Errors name the `stage`, which is "init" at first.
local function go_through(me, stage)
  run_hook(me, "init")
  put("ready", me.id)
  enlist(me)
  stage.name = "start"
  run_hook(me, "start")
end


local function begin(me)
  local stage = { name = "init", failures = 0 }
  scheduler.run(me, stage, go_through, me, stage)
end


-- Gives a new `self` its fields: how many there are, names and values; or a shape and its leaves. Tells where they end.
local function read_fields(self, box, i)
  local count = box[i]
  if type(count) ~= "number" then
    local fields, after = reading.decode(count, box, i + 1)
    for key, value in next, fields do
      self[key] = value
    end
    return after
  end
  for at = i + 1, i + 2 * count, 2 do
    self[box[at]] = box[at + 1]
  end
  return i + 1 + 2 * count
end


-- New entity, to be loaded and, where nothing is in the way, started: id, script, chunk, text, seed, fields.
function bus.receive.create(box, i)
  local me = entity.new(box[i], box[i + 1], box[i + 4])
  local after = read_fields(me.self, box, i + 5)
  local loaded, begins = load_script(me, box[i + 2], box[i + 3], true)
  if loaded then
    complete(me)
  end
  if begins then
    begin(me)
  end
  return after
end


-- First start of a loaded entity: id.
function bus.receive.boot(box, i)
  begin(by_id[box[i]])
  return i + 1
end


-- A hook called by the world: entity, hook, shape of its argument, leaves.
function bus.receive.hook(box, i)
  local me = by_id[box[i]]
  local value, after = reading.decode(box[i + 2], box, i + 3)
  local hook = me and me.hooks[box[i + 1]]
  if hook and not hook.paused then
    scheduler.run(me, hook, hook.fn, me.self, value)
  end
  return after
end


return entity
