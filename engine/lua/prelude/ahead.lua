-- Starts a new version while the old one goes on, with data that may change until the border between the two.
-- Guarantee: what the start did is what it would have done at the border, unless `touched` or `since.changes` says that it
-- must be done there.
--
-- Meanwhile `self` is empty, and asks for each field: so it is known which the start has touched. A task that waits stays
-- where it would look at the clock, until the border. Whoever reads the time otherwise, or goes past the questions that
-- `self` asks, as `next` and `rawget` do, makes the start one that has come too early.

local prelude = ...
local clock, scheduler, sandbox = prelude.clock, prelude.scheduler, prelude.sandbox
local wait, reload = prelude.wait, prelude.reload
local by_id, receive = prelude.mail.entities, prelude.mail.receive
local SUSPEND, REFUSED = prelude.records.SUSPEND, prelude.records.REFUSED

local type, next, rawget, rawset, rawequal, error = type, next, rawget, rawset, rawequal, error
local setmetatable, get_class, set_class = setmetatable, debug.getmetatable, debug.setmetatable
local getinfo, raw_yield, isyieldable = debug.getinfo, coroutine.yield, coroutine.isyieldable
local select, concat = select, table.concat

local SEPARATOR = "\n"
local PASS_BY = { "next", "rawget", "rawset", "rawlen" } -- what reads a table without asking it
if jit then
  PASS_BY[#PASS_BY + 1] = "pairs" -- which asks it everywhere else
end

local ahead = {}

local early = false -- the start has come too early
local waiting = {} -- tasks that stay where they would look at the clock, in the order in which they came there
local touched = {} -- the names of the fields that the start has read or written


-- Ends what runs: nothing that follows counts.
local function too_early()
  early = true
  error("it is too early to know this", 0)
end


-- In place of the clock's fields. A wait may stay here until the border, as nothing of it has been seen yet.
local function ask_clock(_, key)
  if key == "frame" and prelude.fault.is_ours(getinfo(2, "S").short_src) then
    return ahead.clock.frame -- only to count what is done in one
  end
  local task, fn = scheduler.current, getinfo(2, "f").func
  fn = rawequal(fn, wait.request_of) and getinfo(3, "f").func or fn
  if not task or task.state ~= "running" or not isyieldable() or not ahead.waits[fn] then
    too_early()
  end
  waiting[#waiting + 1] = task
  if raw_yield(SUSPEND) == REFUSED then
    too_early()
  end
  return clock[key]
end


-- In place of the class of `self`: keeps its fields in `fields`, and notes who is asked for.
local function questions_of(fields, class)
  local methods = class.__index
  return {
    __index = function(_, key)
      if type(key) ~= "string" then
        too_early()
      end
      touched[key] = true
      local value = fields[key]
      if value == nil then
        return methods[key]
      end
      return value
    end,
    __newindex = function(_, key, value)
      if type(key) ~= "string" then
        too_early()
      end
      touched[key] = true
      fields[key] = value
    end,
    __pairs = too_early,
    __len = too_early,
    __metatable = false,
  }
end


local watched = {} -- entity -> the usual way to find a name in its environment


--- Have it known whether the script of `me`, which is to be loaded, takes functions that go past a table's questions.
function ahead.watch(me)
  local env = me.env
  local class = get_class(env)
  local find = class.__index
  watched[me] = find
  for i = 1, #PASS_BY do
    env[PASS_BY[i]] = nil
  end
  function class.__index(_, name)
    if sandbox.base[name] then
      early = true
      ahead.unwatch(me.id)
      return sandbox.base[name]
    end
    return find(env, name)
  end
end


--- Let it have these functions as anybody else does.
function ahead.unwatch(id)
  local me = by_id[id]
  local env = me.env
  get_class(env).__index, watched[me] = watched[me], nil
  for i = 1, #PASS_BY do
    local name = PASS_BY[i]
    if rawget(env, name) == nil then
      rawset(env, name, sandbox.base[name])
    end
  end
end


-- Fields that the new version does not have any more go, whatever becomes of them.
local function touch_gone(me, before)
  reload.each_gone(me, before, function(name)
    touched[name] = true
  end)
end


local function hold_clock()
  ahead.clock = { now = clock.now, dt = clock.dt, frame = clock.frame }
  clock.now, clock.dt, clock.frame = nil, nil, nil
  setmetatable(clock, { __index = ask_clock })
end


local function let_clock_go()
  setmetatable(clock, nil)
  clock.now, clock.dt, clock.frame = ahead.clock.now, ahead.clock.dt, ahead.clock.frame
end


--- As `resume`, but before the border.
function receive.start_ahead(box, i)
  local me = by_id[box[i]]
  local self, fields = me.self, {}
  me.self = fields
  local after = reload.take_over(me, box, i + 3)
  touch_gone(me, box[i + 2])
  reload.migrate(me, box[i + 2])
  me.self = self
  local class, on_class = get_class(self), sandbox.on_class
  if me.hooks.on_reload then
    early = true -- it is given all data
    return after
  end
  sandbox.on_class = function(value, meta)
    if rawequal(meta, self) then
      too_early()
    elseif on_class then
      on_class(value, meta)
    end
  end
  ahead.waits = { [wait.wait] = true, [prelude.task.repeat_every] = true }
  set_class(self, questions_of(fields, class))
  hold_clock()
  reload.start(me)
  if scheduler.deferrals > 0 then
    prelude.deferral.run_deferred()
  end
  let_clock_go()
  set_class(self, class)
  for key, value in next, fields do
    self[key] = value
  end
  sandbox.on_class = on_class
  if watched[me] then
    ahead.unwatch(me.id)
  end
  return after
end


--- The names of the fields that the start has touched, in one string; false where it came too early.
function ahead.touched()
  if early then
    return false
  end
  local names = {}
  for name in next, touched do
    names[#names + 1] = name
  end
  return SEPARATOR .. concat(names, SEPARATOR) .. SEPARATOR
end


-- Gives `self` what `changes` told.
local function merge(me, ...)
  local self = me.self
  if (...) == true then
    return reload.take_over(me, { ... }, 2)
  end
  for i = 1, select("#", ...), 2 do
    local key, value = select(i, ...)
    self[key] = value
  end
end


--- The border: what `changes` told. Tasks go on from where they stayed. Gives what a tick gives.
function ahead.arrive(now, dt, frame, id, ...)
  clock.now, clock.dt, clock.frame = now, dt, frame
  merge(by_id[id], ...)
  local tasks = waiting
  waiting = {}
  for n = 1, #tasks do
    prelude.suspension.wake(tasks[n])
  end
  return prelude.pump.leave(-1)
end


return ahead
