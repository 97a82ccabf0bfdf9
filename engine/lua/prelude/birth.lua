-- The birth of the first entity of a warm state whose script has been read: its first task lies in wait for that, in a
-- state that is calm, and leads. So a birth is one tick of `body.lua`, in which Python resumes that task, and what comes
-- after it is another.
-- Guarantee: nobody can tell it from any other birth. Who does more in it than to move and to wait is served by the pump.

local prelude = ...
local scheduler, clock, outbox, records = prelude.scheduler, prelude.clock, prelude.outbox, prelude.records
local entity, pump, watch, follow = prelude.entity, prelude.pump, prelude.watch, prelude.wait.follow
local by_id, copy = prelude.mail.entities, entity.copy

local next, rawget, rawset = next, rawget, rawset
local raw_resume, raw_yield = coroutine.resume, coroutine.yield

local birth = {}

local me, stage = nil, nil -- who is born, and its hook
local born = nil -- the frame in which that was
local told = false -- that it begins, and that it has begun


-- A script of which the world is told no more than that it begins, and nothing that is shown.
local function is_plain(one)
  local class, hooks = one.class, one.hooks
  if not (hooks.start or hooks.init) or hooks.update or hooks.fixed_update or hooks.late_update or hooks.on_input
    or one.methods or rawget(class, "isolation") ~= nil or rawget(class, "clock") ~= nil then
    return false
  end
  for name in next, one.properties or {} do
    if watch.shows(name) then
      return false
    end
  end
  return true
end


-- It does more, and the pump leads: what the world is to know of the birth comes first. True where it has been born.
local function tell(state)
  if state ~= "suspended" and clock.frame == born then
    told = true
    outbox.put("script", me.id, false, false, true)
    if stage.name == "start" then
      outbox.put("ready", me.id)
    end
  end
  return me.id > 0
end


local function go_through(self, now, dt, frame, id, name, seed, count, ...)
  clock.now, clock.dt, clock.frame, born = now, dt, frame, frame
  entity.unborn, by_id[id] = nil, me
  me.id, me.script, me.seed = id, name, seed
  local box, hooks, properties = { ... }, me.hooks, me.properties
  for i = 1, count do
    rawset(self, box[i], box[i + count])
  end
  if properties then
    for key, value in next, properties do
      if rawget(self, key) == nil then
        self[key] = copy(value)
      end
    end
  end
  if hooks.init then
    follow(false) -- to wait in there is for the pump: Python takes it for born when it first waits
    hooks.init.fn(self)
  end
  stage.name = "start"
  if told then
    outbox.put("ready", id)
  elseif hooks.init then
    follow(self)
  end
  if hooks.start then
    hooks.start.fn(self)
  end
end


-- Body of the first task.
local function lie(self)
  go_through(self, raw_yield())
end


--- Have the entity that has read its script lie in wait for its birth, so that the next tick is calm. False where it is born
-- as any other.
function birth.prepare()
  me = entity.unborn
  if not is_plain(me) then
    return false
  end
  local task = records.hire(me)
  scheduler.single, pump.even = task, true
  if not prelude.body.foresee() then
    scheduler.single, pump.even = nil, false
    records.release(task)
    return false
  end
  watch.stop()
  stage = { name = "init", failures = 0 }
  task.callback, task.state, task.on_stir = stage, "next", tell
  me:own(task)
  raw_resume(task.thread, task, lie, me.self)
  return true
end


return birth
