-- The birth of the first entity of a warm state whose script has been read: its first task lies in wait for that, in a
-- state that is calm, and leads. So a birth is one tick of `body.lua`, in which Python resumes that task, and what comes
-- after it is another.
-- Guarantee: nobody can tell it from any other birth. Who does more in it than to move and to wait is served by the pump.

local prelude = ...
local scheduler, clock, outbox, records = prelude.scheduler, prelude.clock, prelude.outbox, prelude.records
local entity, pump, watch = prelude.entity, prelude.pump, prelude.watch
local follow, wait = prelude.wait.follow, prelude.wait.wait
local by_id = prelude.mail.entities

local next, rawget, rawset = next, rawget, rawset
local raw_resume, raw_yield = coroutine.resume, coroutine.yield

local birth = {}

local me, first, stage = nil, nil, nil -- who is born, its task, and the hook that runs
local told = false -- the world has been told that it begins


-- The hooks that are called in every frame, and are no matter of the outbox.
local function updates(one)
  return one.hooks.update or one.hooks.fixed_update
end


-- A script that is awake in the frame after its birth, if it may wait, of which the world is told no more than that it
-- begins, and nothing that is shown.
local function is_plain(one)
  local class, hooks = one.class, one.hooks
  if not hooks.start == not updates(one) or hooks.late_update or hooks.on_input or one.methods
    or rawget(class, "isolation") ~= nil or rawget(class, "clock") ~= nil or entity.task_limit == 0 then
    return false
  end
  for name in next, one.properties or {} do
    if watch.shows(name) then
      return false
    end
  end
  return true
end


-- The pump leads again. Where that is as it does more in its birth, what the world is to know of that comes first. False
-- where it is not born yet.
local function tell(state)
  if me.id == 0 then
    return false
  elseif state ~= "suspended" and clock.frame == me.born then
    told = true
    if first.listed then
      me:disown(first) -- until its first wait
    end
    outbox.put("script", me.id, false, false, true)
    if stage.name == "start" then
      outbox.put("ready", me.id)
    end
  end
  return true
end


local function begin(self, init)
  follow(false) -- to wait in there is for the pump: Python takes it for born when it first waits
  init.fn(self)
  stage.name = "start"
  if told then
    outbox.put("ready", me.id)
  else
    follow(self)
  end
end


-- Body of the first task. What it needs is on its own stack when it is resumed: all else is cold, each upvalue by itself,
-- and so is what a table would be made of.
local function lie(self, one, time, list, set, init, start, properties)
  local now, dt, frame, id, seed, name, name2, name3, name4, name5, name6, value, value2, value3, value4, value5, value6
    = raw_yield()
  if name then set(self, name, value) end
  if name2 then set(self, name2, value2) end
  if name3 then set(self, name3, value3) end
  if name4 then set(self, name4, value4) end
  if name5 then set(self, name5, value5) end
  if name6 then set(self, name6, value6) end
  time.now, time.dt, time.frame = now, dt, frame
  one.id, one.seed, one.born, list[id] = id, seed, frame, one
  if properties then
    entity.complete(one)
  end
  if init then
    begin(self, init)
  end
  if start then
    start.fn(self)
    return
  elseif not told then
    wait() -- for the first call of `update`, which is the pump's
  end
  entity.enlist(one)
end


--- Have the entity that has read its script, which has this name, lie in wait for its birth, so that the next tick is
-- calm. False where it is born as any other.
function birth.prepare(name)
  me = entity.unborn
  if not is_plain(me) then
    return false
  end
  local task, init, start = records.hire(me), me.hooks.init, me.hooks.start
  first = task
  scheduler.single, pump.even = task, true
  if not prelude.body.foresee() then
    scheduler.single, pump.even = nil, false
    records.release(task)
    return false
  end
  watch.stop()
  stage = { name = init and "init" or "start", failures = 0 }
  task.callback, task.state, task.on_stir = stage, "next", tell
  if start then
    me:own(task) -- else it is gone with the next frame
  end
  me.script, me.born, by_id[1] = name, false, me
  by_id[1] = nil -- there is room for one
  raw_resume(task.thread, task, lie, me.self, me, clock, by_id, rawset, init, start, me.properties)
  return true
end


return birth
