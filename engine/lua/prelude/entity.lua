-- The entities of one state: loading their script, their hooks, `self`, and the `entity` library that scripts call.
-- Guarantee: whatever fails in a script is reported once, with its place, and leaves the other entities alone.

local prelude = ...
local scheduler, records, outbox, bus = prelude.scheduler, prelude.records, prelude.outbox, prelude.mail
local reading, sandbox = prelude.later("reading"), prelude.sandbox

local error, type, next, load, setmetatable = error, type, next, load, setmetatable
local rawget, pairs, setfenv = rawget, pairs, setfenv
local format, match, sub = string.format, string.match, string.sub
local sort, insert = table.sort, table.insert
local getinfo = debug.getinfo
local put = outbox.put

local NAMES = {
  "init", "start", "update", "fixed_update", "late_update", "on_event", "on_input", "on_reload", "final",
}
local HOOKS = {}
for _, name in next, NAMES do
  HOOKS[name] = true
end

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

local Entity = {}
Entity.__index = Entity


--- Count `task` among those that end with this entity. Returns nothing, or why there may be no more.
function Entity:own(task)
  local limit = entity.task_limit
  if self.ending then
    return format("entity %d is ending, no task can be started any more", self.id)
  elseif limit and self.task_count >= limit then
    return format("entity %d has %d live tasks, the limit (Limits.tasks); end some, or raise the limit", self.id, limit)
  end
  task.listed = true
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
    insert(entity.list, made)
    if entity.list[2] or scheduler.ran then
      join(made)
    end
    survey()
  end
  return made
end


-- Every-frame hooks are kept in lists, so that a tick does not look at entities that have none.
local function enlist(me)
  if me.hooks.update then
    insert(entity.updaters, me)
  end
  if me.hooks.fixed_update then
    insert(entity.fixed, me)
  end
  if me.hooks.late_update then
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


-- A hook that cannot be called would never be missed.
local function check_hooks(script, name)
  for i = 1, #NAMES do
    local hook = rawget(script, NAMES[i])
    if hook ~= nil and type(hook) ~= "function" then
      error(format("%s is a hook and must be a function, got a %s; write function %s:%s() ... end, or give it another name",
        NAMES[i], type(hook), match(name, "[%a_][%w_]*$") or "script", NAMES[i]), 0)
    end
  end
end


-- Finds out, while an error is the script's own, whether its defaults can be copied.
local function check_properties(script)
  local properties = rawget(script, "properties")
  if properties ~= nil and type(properties) ~= "table" then
    error("properties must be a table such as { speed = 60 }, got a " .. type(properties), 0)
  end
  for _, value in next, properties or {} do
    entity.copy(value)
  end
end


-- Registers the hooks of a script's table; a misspelt one is told to the world, which knows what is near.
local function find_hooks(me, script)
  local names, told = {}, 0
  for key, value in next, script do
    if type(key) == "string" and type(value) == "function" and #key <= LONGEST_METHOD then
      names[#names + 1] = key
    end
  end
  sort(names)
  for _, name in pairs(names) do
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
  return load((setfenv and "" or "local _ENV = ... ") .. "return function(...) " .. text .. "\nend", name, "t", {})
end


-- The function of a script's text in `env`. From the second entity on, all share its code: what is compiled once gives each
-- a function of its own. The text has been compiled by itself before, so it is the whole body of that function.
local function compile(text, name, env)
  if text ~= last_text or name ~= last_name then
    last_text, last_name, make = text, name, nil
    return load(text, name, "t", env)
  end
  make = make or compile_for_all(text, name)
  if not make then
    return load(text, name, "t", env)
  end
  local fn = make(env)
  return setfenv and setfenv(fn, env) or fn
end


--- Make what the first entity will need, whatever its script.
function entity.make_ahead()
  spare = blank()
  records.release(records.hire())
end


--- Compile the text of a script before there is an entity for it; whatever is wrong with it will be told to that one.
function entity.read_ahead(text, chunk)
  if load(text, "@" .. chunk, "t", {}) then
    last_text, last_name, make = text, "@" .. chunk, compile_for_all(text, "@" .. chunk)
  end
end


-- Runs the script's text and takes the table it returns.
local function read_script(me, chunk, text)
  local fn, problem = compile(text, "@" .. chunk, me.env)
  if not fn then
    error(problem, 0)
  end
  local script = fn()
  if type(script) ~= "table" then
    fn = load(text, "@" .. chunk, "t", {})
    error(format("%s:%d: the script must return its table of hooks, got %s; did you forget \"return %s\"?", chunk,
      getinfo(fn, "S").lastlinedefined > 0 and getinfo(fn, "S").lastlinedefined or 1,
      script == nil and "nothing" or "a " .. type(script), me.script), 0)
  end
  return script
end


local function word_of(value)
  value = outbox.scalar(value) or false
  return type(value) == "string" and sub(value, 1, LONGEST_METHOD) or value
end


-- Gives whether there is a script now, and whether it is to begin at once. That it `may`, but not where it did something
-- already, or where it is to live by another clock: the world sees to that first.
local function load_script(me, chunk, text, may)
  local script
  scheduler.call(me, "loading a script", function()
    local read = read_script(me, chunk, text)
    check_properties(read)
    check_hooks(read, me.script)
    script = read
  end)
  if not script then
    return false
  end
  local isolation, clock = word_of(rawget(script, "isolation")), word_of(rawget(script, "clock"))
  local begins = may and outbox.n == 0 and not isolation and not clock or false
  put("script", me.id, isolation, clock, begins)
  find_hooks(me, script)
  local properties = rawget(script, "properties")
  me.properties = type(properties) == "table" and properties or {}
  setmetatable(me.self, { __index = script, __metatable = false })
  return true, begins
end
entity.load_script = load_script


--- Give `self` these fields, then the defaults of the properties that are missing.
function entity.fill(me, fields)
  local self = me.self
  scheduler.mark(me)
  for key, value in next, fields do
    self[key] = value
  end
  for key, value in next, me.properties or {} do
    if rawget(self, key) == nil then
      self[key] = entity.copy(value)
    end
  end
end


local function run_hook(me, name, ...)
  local hook = me.hooks[name]
  if hook then
    hook.fn(me.self, ...)
  end
end
entity.run_hook = run_hook


local function begin(me)
  local stage = { name = "init", failures = 0 }
  scheduler.run(me, stage, function()
    run_hook(me, "init")
    put("ready", me.id)
    enlist(me)
    stage.name = "start"
    run_hook(me, "start")
  end)
end


-- The fields of a new `self` and the place after them: how many there are, names and values; or a shape and its leaves.
local function read_fields(box, i)
  local count = box[i]
  if type(count) ~= "number" then
    return reading.decode(count, box, i + 1)
  end
  local fields = {}
  for at = i + 1, i + 2 * count, 2 do
    fields[box[at]] = box[at + 1]
  end
  return fields, i + 1 + 2 * count
end


-- New entity, to be loaded and, where nothing is in the way, started: id, script, chunk, text, seed, fields.
function bus.receive.create(box, i)
  local me = entity.new(box[i], box[i + 1], box[i + 4])
  local fields, after = read_fields(box, i + 5)
  local loaded, begins = load_script(me, box[i + 2], box[i + 3], true)
  if loaded then
    entity.fill(me, fields)
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
