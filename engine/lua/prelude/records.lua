-- The records of the tasks of one state, and the Lua threads inside them.
-- Guarantee: a record that has ended holds nothing alive, and no script ever holds a token.

local prelude = ...
local turns = prelude.turns
local workers = { idle = {}, n = 0 }

-- Tokens are functions: tables could be compared by a script, whose `__eq` would be given the token.
local function token(n)
  return function()
    return n
  end
end


local records = {
  SUSPEND = token(1), -- a task waits
  REFUSED = token(2), -- the answer to a wait that a C function further out does not let through
  DONE = token(3), -- a worker is free again
  token = token,
  on_thread = nil, -- called with every new thread; the limits set it
}

local create, raw_yield = coroutine.create, coroutine.yield
local error, setmetatable, getinfo = error, setmetatable, debug.getinfo
local DONE = records.DONE
local GONE = { state = "done" } -- stands for every task that has ended
local POOL = 16 -- idle workers kept per state

records.workers = workers

local tasks = setmetatable({}, { __mode = "k" }) -- thread -> task or GONE, for threads that scripts know
local owned = 0


function records.new_thread(fn)
  local thread = create(fn)
  if records.on_thread then
    records.on_thread(thread)
  end
  return thread
end


--- Make the task's entity answer for it. Returns nothing, or why there may be no more.
-- Tasks are counted in the order in which they became the entity's, and cancelled in that order.
function records.own(task)
  local full = task.entity:own(task)
  if not full then
    owned = owned + 1
    task.number = owned
  end
  return full
end


--- A task around `thread` that scripts may know, owned by `entity`; or nil and why there may be no more.
function records.make(thread, entity)
  local task = { thread = thread, entity = entity, state = "new" }
  local full = records.own(task)
  if full then
    return nil, "task: " .. full
  end
  task.exposed = true
  tasks[thread] = task
  return task
end


--- The same with an error, which blames the caller.
function records.adopt(thread, entity, level)
  local task, full = records.make(thread, entity)
  if not task then
    error(full, level + 1)
  end
  return task
end


--- The task of `thread`, or nil for a thread that is none. One that has ended only says so: `state` is "done".
function records.task_of(thread)
  return tasks[thread]
end


--- Scripts got to know this thread: it must not be used again for something else.
function records.expose(task)
  if not task.exposed then
    local stir = turns.stir
    if stir then
      stir()
    end
    task.exposed, task.marked = true, true
    tasks[task.thread] = task
  end
end


--- Refuse `thread` from now on, also where Lua itself would still resume it.
function records.bury(thread)
  tasks[thread] = GONE
end


-- Body of a worker: runs one function after the other, so that a handler that does not wait costs no new thread.
local function work(task, fn, ...)
  fn(...)
  if task.exposed then
    return
  end
  return work(raw_yield(DONE))
end


-- The same for handlers of events, which take one value each: it is all that `hearing` needs, and half the work. What it
-- calls may be compiled; LuaJIT would try in vain to compile the loop itself, in each state.
local function hear(fn, event)
  local raw_yield, DONE = raw_yield, DONE -- luacheck: ignore 431
  repeat
    fn(event)
    fn, event = raw_yield(DONE)
  until false
end
if jit then
  jit.off(hear)
end


--- A task whose thread takes (function, event). It counts as running as long as the caller keeps it, which is while
-- nothing marks it and each handler ends at once.
function records.hire_ear()
  local task = workers.ear
  if task then
    workers.ear, task.state = nil, "running"
    return task
  end
  return { thread = records.new_thread(hear), state = "running", ear = true }
end


-- The same for `update` hooks, which take `self` and the seconds.
local function beat(fn, self, dt, task)
  repeat
    fn(self, dt)
    if task.exposed then
      return
    end
    fn, self, dt = raw_yield(DONE)
  until false
end


--- A task for one hook of one entity, whose thread takes (function, self, seconds, itself). It is never given back: it
-- serves as long as the caller keeps it, which is while nothing marks it and each call ends at once.
function records.hire_beat(entity, hook)
  return {
    thread = records.new_thread(beat), state = "instant", instant = hook.name, entity = entity, callback = hook, beat = true,
  }
end


--- A task whose thread takes (itself, function, arguments...) when it is resumed.
function records.hire(entity)
  local n = workers.n
  if n > 0 then
    local idle = workers.idle
    local task = idle[n]
    idle[n] = nil
    workers.n = n - 1
    task.entity, task.state = entity, "new"
    return task
  end
  return { thread = records.new_thread(work), entity = entity, state = "new" }
end


--- Take back a worker that yielded `DONE`; a thread for hooks, a `beat`, takes other values and serves nobody else.
function records.release(task)
  local n = workers.n + 1
  if not task.exposed and not task.beat and (n <= POOL or task.ear) then
    task.listed, task.instant, task.reported, task.cause, task.marked = nil, nil, nil, nil, nil
    if task.ear then
      workers.ear = task
      return
    end
    workers.idle[n] = task
    workers.n = n
  end
end


--- Note on `task` where it was made: `level` counts from the caller.
function records.remember(task, level)
  local info = getinfo(level + 1, "fl")
  if info then
    task.maker, task.made_at = info.func, info.currentline
  end
end


--- "scripts/door.lua:12" where the task was made, or nil.
function records.origin(task)
  return task.maker and prelude.fault.place(task.maker, task.made_at) or nil
end


return records
