-- The first entity of a state, before the pump is there: its script is read, and its first task lies in wait for its birth,
-- in a state that is calm, and leads. So a birth is one resume of that task, and what comes after it is another. What does
-- more than to move and to wait asks for the pump, which is loaded then, and takes over.
-- Guarantee: nobody can tell it from any other birth.

local prelude = ...
local _, guarded = ... -- there are limits
local clock, home, wait, worker = prelude.clock, prelude.home, prelude.wait.wait, prelude.worker
local sandbox, watch, budget, follow = prelude.sandbox, prelude.watch, prelude.budget, prelude.wait.follow

local next, pcall, rawget, rawset, setmetatable, type = next, pcall, rawget, rawset, setmetatable, type
local create, raw_resume, raw_yield, sethook = coroutine.create, coroutine.resume, coroutine.yield, debug.sethook

local STEP = 1000 -- as in `budget`
local NOTHING = {}

local HOOKS = {
  init = true, start = true, update = true, fixed_update = true, late_update = true, on_event = true,
  on_input = true, on_reload = true, final = true,
}

local calm = {
  HOOKS = HOOKS,
  entities = prelude.create(0, 1), -- those of this state, by id
  first = nil, -- the entity whose script was read before its birth
  task = nil, -- its first task, which lies in wait for that, and leads
  told = false, -- the world has been told that it begins
}


-- What comes before `start`: defaults of properties that are missing, and `init`.
local function begin(me, self, init, properties)
  for key, value in next, properties or NOTHING do
    if rawget(self, key) == nil then
      rawset(self, key, type(value) == "table" and prelude.defaults.copy(value) or value)
    end
  end
  if not init then
    return
  end
  follow(false) -- to wait in there is for the pump: Python takes it for born when it first waits
  init(self)
  calm.task.callback.name = "start"
  if calm.told then
    prelude.outbox.put("ready", me.id)
  else
    follow(self)
  end
end


-- Body of the first task. What it needs is on its own stack when it is resumed: all else is cold, each upvalue by itself,
-- and so is what a table would be made of, and a name that comes in. So it has those of the fields that it will probably get;
-- with others all of them come before the values.
local function lie(self, me, time, list, set, init, start, properties, name, name2, name3, name4, name5, name6)
  local now, dt, frame, _, id, seed, known, value, value2, value3, value4, value5, value6, a, b, c, d, e, f = raw_yield()
  if not known then
    name, name2, name3, name4, name5, name6 = value, value2, value3, value4, value5, value6
    value, value2, value3, value4, value5, value6 = a, b, c, d, e, f
  end
  if name then set(self, name, value) end
  if name2 then set(self, name2, value2) end
  if name3 then set(self, name3, value3) end
  if name4 then set(self, name4, value4) end
  if name5 then set(self, name5, value5) end
  if name6 then set(self, name6, value6) end
  time.now, time.dt, time.frame = now, dt, frame
  me.id, me.seed, me.born, list[id] = id, seed, frame, me
  if init or properties then
    begin(me, self, init, properties)
  end
  if start then
    start(self)
    return
  elseif not calm.told then
    wait() -- for the first call of `update`, which is the pump's
  end
  prelude.entity.enlist(me)
end


-- The first task lies in wait: gives its thread.
local function wait_for_birth(me, ...)
  local hooks, task = me.hooks, { thread = worker.first or create(worker.work), entity = me, state = "running" }
  worker.first = nil
  task.callback = { name = hooks.init and "init" or "start", failures = 0 }
  task.last = sandbox.rouse -- at its end it comes back
  if guarded then
    sethook(task.thread, budget.hook, "", STEP)
  end
  calm.task = task
  follow(me.self)
  local init, start = hooks.init and hooks.init.fn, hooks.start and hooks.start.fn
  raw_resume(task.thread, task, lie, me.self, me, clock, calm.entities, rawset, init, start, me.properties, ...)
  return task.thread
end


-- Notes what a script gave. False where it cannot be used; and whether there is more than hooks and hidden fields.
local function take_note(me, class)
  local more, properties = false, nil
  if type(class) == "table" then
    properties = rawget(class, "properties")
  end
  if type(properties == nil and class or properties) ~= "table" then
    return false
  end
  for key, value in next, class do
    if not HOOKS[key] then
      more = more or type(value) == "function" -- which may be a misspelt hook
    elseif type(value) == "function" then
      me.hooks[key] = { name = key, fn = value, failures = 0 }
    else
      return false
    end
  end
  for key, value in next, properties or NOTHING do
    more = more or watch.shown[key]
    if type(value) == "table" and not pcall(prelude.defaults.copy, value) then
      return false
    end
  end
  me.class, me.properties, me.methods = class, properties, more
  setmetatable(me.self, { __index = class, __metatable = false, __newindex = nil })
  return true, more
end


--- Run what makes the table of the script, for the entity that will be born here. Gives its thread where it lies in wait for
-- that, and whether it has anything to do at its end; else true. Nothing where it failed, or asked for more than what all
-- entities are given at all times: then this state is not to be used. The rest are names of fields that it will probably get.
function calm.read(fn, name, ...)
  local me = { id = 0, script = name, seed = 0, self = home.self, hooks = {} }
  local env = sandbox.environment(me)
  me.env, home.self = env, nil
  prelude.settle(fn, env)
  if guarded then
    sethook(budget.hook, "", STEP)
  end
  local ok, class = pcall(fn)
  sethook()
  if not ok or rawget(prelude, "scheduler") or not home.time
    or rawget(prelude, "files") and not prelude.files.are_the_same() then
    return nil
  end
  local usable, more = take_note(me, class)
  if not usable then
    return nil
  end
  calm.first = me
  local hooks = me.hooks
  if more or not hooks.start == not (hooks.update or hooks.fixed_update) or hooks.late_update or hooks.on_input
    or rawget(class, "isolation") ~= nil or rawget(class, "clock") ~= nil or not watch.begin(me.self) then
    return true
  end
  return wait_for_birth(me, ...), hooks.final ~= nil
end


return calm
