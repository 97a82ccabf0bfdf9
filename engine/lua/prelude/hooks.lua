-- Calls the hooks of every frame (`update` and its like), those of all entities of a state one after the other in one thread.
-- Guarantee: an error, a stop or a yield ends one call and the thread; the hooks after it go on in another one.

local prelude = ...
local scheduler, records = prelude.scheduler, prelude.records

local raw_resume, raw_yield = coroutine.resume, coroutine.yield
local settle, DONE = scheduler.settle, records.DONE

local hooks = {}

local idle = nil -- the task that calls, while none does
local at = 0 -- which entity's hook it calls


-- Body of the thread. A task that a script got to know, or gave something to do at its end, ends as any other.
local function work(task, list, name, dt, first)
  repeat
    for i = first, #list do
      local me = list[i]
      local hook = me.hooks[name]
      if hook and not hook.paused then
        task.entity, task.callback, at = me, hook, i
        hook.fn(me.self, dt)
        if task.marked then
          return
        end
        hook.failures = 0
      end
    end
    list, name, dt, first = raw_yield(DONE)
  until false
end


-- Calls the hooks from number `first` on; gives the number of the one that ended the thread, or nothing.
local function go(list, name, dt, first)
  local task = idle
  local ok, token, request
  if task then
    idle, task.state, task.instant, scheduler.current = nil, "instant", name, task
    ok, token, request = raw_resume(task.thread, list, name, dt, first)
  else
    task = { thread = records.new_thread(work), state = "instant", instant = name, entity = list[first], beat = true }
    scheduler.current = task
    ok, token, request = raw_resume(task.thread, task, list, name, dt, first)
  end
  if token == DONE and not task.marked then
    scheduler.current, task.entity, task.callback, idle = nil, nil, nil, task
    return nil
  end
  settle(task, nil, ok, token, request)
  return at
end


--- Call `name` of these entities, in this order.
function hooks.run(list, name, dt)
  local last = 0
  if scheduler.ran then
    prelude.places.mark_each(list)
  end
  while last and last < #list do
    last = go(list, name, dt, last + 1)
  end
end


--- The same with a task for each, which a trace sees.
function hooks.run_each(list, name, dt)
  for i = 1, #list do
    local me = list[i]
    local hook = me.hooks[name]
    if hook and not hook.paused then
      local task = records.hire(me)
      task.instant, task.callback = name, hook
      scheduler.resume_instant(task, task, hook.fn, me.self, dt)
    end
  end
end


return hooks
