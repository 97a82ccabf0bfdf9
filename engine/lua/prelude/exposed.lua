-- The tasks that scripts know by their threads.
-- Guarantee: a thread whose task has ended stays refused, and no worker serves again once a script knows its thread.

local prelude = ...
local turns, fault = prelude.turns, prelude.later("fault")
local come_back = prelude.waiting.come_back

local error, setmetatable, getinfo = error, setmetatable, debug.getinfo

local GONE = { state = "done" } -- stands for every task that has ended

local exposed = {}

local tasks = setmetatable({}, { __mode = "k" }) -- thread -> task or GONE


--- A task around `thread` that scripts may know, owned by `entity`; or nil and why there may be no more.
function exposed.make(thread, entity)
  come_back() -- the task of who is born counts from its first wait on
  local task = { thread = thread, entity = entity, state = "new" }
  local full = entity:own(task)
  if full then
    return nil, "task: " .. full
  end
  task.exposed = true
  tasks[thread] = task
  return task
end


--- The same with an error, which blames the caller.
function exposed.adopt(thread, entity, level)
  local task, full = exposed.make(thread, entity)
  if not task then
    error(full, level + 1)
  end
  return task
end


--- The task of `thread`, or nil for a thread that is none. One that has ended only says so: `state` is "done".
function exposed.task_of(thread)
  return tasks[thread]
end


--- Scripts got to know this thread: it must not be used again for something else.
function exposed.expose(task)
  if not task.exposed then
    local stir = turns.stir
    if stir then
      stir()
    end
    task.exposed, task.marked, task.last = true, true, true
    tasks[task.thread] = task
  end
end


--- Refuse `thread` from now on, also where Lua itself would still resume it.
function exposed.bury(thread)
  tasks[thread] = GONE
end


--- Note on `task` where it was made: `level` counts from the caller.
function exposed.remember(task, level)
  local info = getinfo(level + 1, "fl")
  if info and info.currentline < 1 then -- pcall(task.spawn, f)
    info = fault.script_above(level + 2)
  end
  if info then
    task.maker, task.made_at = info.func, info.currentline
  end
end


--- "scripts/door.lua:12" where the task was made, or nil.
function exposed.origin(task)
  return task.maker and fault.place(task.maker, task.made_at) or nil
end


return exposed
