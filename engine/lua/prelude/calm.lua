-- The first entity of a state, before the pump is there: its script is read, and its first task lies in wait for its birth,
-- in a state that is calm, and leads. So a birth is one resume of that task, and what comes after it is another. What does
-- more than to move and to wait asks for the pump, which is loaded then, and takes over.
-- Guarantee: nobody can tell it from any other birth.
--
-- This ends the code that makes a state, and gives the prelude. Where Python knows a script, all of it runs in the thread that
-- becomes that of the first task: when this has read the script and is lying in wait, it gives the prelude, whether there is
-- anything to do at the end of the entity, and true. For an entity that is to be born as any other it gives the prelude and
-- nil, and nothing more where the script failed, or gave no table: then this state is not to be used.

local prelude = ...
local _, fn, script, guarded = ... -- what the script says, and its name; there are limits
local clock, home, wait, worker = prelude.clock, prelude.home, prelude.wait.wait, prelude.worker
local watch, budget, lead = prelude.watch, prelude.budget, prelude.wait.lead

local next, pcall, rawget, rawset = next, pcall, rawget, rawset
local select, setmetatable, type = select, setmetatable, type
local raw_yield, running = coroutine.yield, coroutine.running
local sethook, lists = debug.sethook, watch.lists

local STEP = 1000 -- as in `budget`

local HOOKS = " init start update fixed_update late_update on_event on_input on_reload final " -- as in `watch`

local calm = {
  hooks = HOOKS,
  entities = prelude.create(0, 1), -- those of this state, by id
  first = nil, -- the entity whose script was read before its birth
  task = nil, -- its first task, which lies in wait for that, and leads
  told = false, -- the world has been told that it begins
}


-- Body of the first task. What it needs is on its own stack when it is resumed: all else is cold, each upvalue by itself,
-- and so is what a table would be made of, and a name that comes in. So it has those of the fields that it will probably get;
-- with others all of them come before the values. Who is `lively` does more than to move and to wait, whatever its hooks do.
local function lie(ends, self, me, time, list, set, init, start, lively, properties, name, name2, name3, name4, name5, name6)
  local now, dt, frame, _, id, seed, known, value, value2, value3, value4, value5, value6, a, b, c, d, e, f =
    raw_yield(prelude, ends, true)
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
  if lively then
    local _ = me.hooks.update and prelude.entity -- which brings all that `update` needs
    prelude.scheduler.rouse()
  end
  if properties then
    for key, default in next, properties do
      if rawget(self, key) == nil then
        set(self, key, type(default) == "table" and prelude.defaults.copy(default) or default)
      end
    end
  end
  if init then
    if not lively then
      lead(false) -- to wait in there is for the pump: Python takes it for born when it first waits
    end
    init(self)
    calm.task.callback.name = "start"
    if calm.told then
      prelude.entity.tell_ready(me)
    else
      lead(self)
    end
  end
  if start then
    if lively then
      prelude.entity.enlist(me)
    end
    start(self)
    return
  elseif not calm.told then
    wait() -- for the first call of `update`, which is the pump's
  end
  prelude.entity.enlist(me)
end

prelude.calm = calm
-- lupa looks for it in every call: where there is none, that is a dozen cache lines less.
debug = nil -- luacheck: ignore 121
prelude.memory.begin()

if not fn then
  return prelude
end

local me = home.entity
local self, hooks = me.self, me.hooks
home.env(fn)
if guarded then
  sethook(budget.hook, "", STEP)
end
lead(false) -- so nobody can wait meanwhile
local ok, class = pcall(fn)
lead(nil)
sethook()
if not ok or not home.time then
  return prelude
end

-- What it gave.
local properties = nil
if type(class) == "table" then
  properties = rawget(class, "properties")
end
if type(properties == nil and class or properties) ~= "table" then
  return prelude
end
local methods, lively = false, false -- methods may be misspelt hooks
for key, value in next, class do
  if not lists(HOOKS, key) then
    methods = methods or type(value) == "function"
  elseif type(value) == "function" then
    hooks[key] = { name = key, fn = value, failures = 0 }
  else
    return prelude
  end
end
if properties then
  for key, value in next, properties do
    lively = lively or lists(watch.shown, key)
    if type(value) == "table" and not pcall(prelude.defaults.copy, value) then
      return prelude
    end
  end
end
me.script, me.class, me.properties, me.methods = script, class, properties, methods
setmetatable(self, { __index = class, __metatable = false, __newindex = nil })
calm.first, home.entity = me, nil
local init, start, beats = hooks.init, hooks.start, hooks.update or hooks.fixed_update
if not (start or beats) or hooks.late_update or hooks.on_input
  or rawget(class, "isolation") ~= nil or rawget(class, "clock") ~= nil or not watch.begin(self) then
  return prelude, nil
end

-- Its first task lies in wait. A tail call: nothing of this is kept.
local task = { thread = running(), entity = me, state = "running" }
task.callback = { name = init and "init" or "start", failures = 0 }
task.last = false -- at its end it comes back
if guarded then
  sethook(budget.hook, "", STEP)
end
calm.task = task
lead(self)
return worker.work(task, lie, hooks.final ~= nil, self, me, clock, calm.entities, rawset, init and init.fn,
  start and start.fn, lively or methods or start and beats, properties,
  select(8, ...)) -- names of fields that the entity will probably get
