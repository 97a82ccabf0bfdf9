-- Calls the hooks of every frame (`update` and its like), those of all entities of a state one after the other in one thread.
-- Guarantee: an error, a stop or a yield ends one call and the thread; the hooks after it go on in another one.

local prelude = ...
local scheduler, records, entity, clock = prelude.scheduler, prelude.records, prelude.entity, prelude.clock

local next = next
local raw_resume, raw_yield = coroutine.resume, coroutine.yield
local settle, DONE = scheduler.settle, records.DONE

local hooks = {}

local idle = nil -- the task that calls, while none does
local at = 0 -- which one of a roll it calls

-- By name: whom to call, in lists. An entity, its hooks and the one among them would each be a cold cache line in ten
-- thousand. Who has left, and whose hook is paused, has `false` for a function.
local rolls = {}
entity.rolls = rolls


-- Body of the thread. A task that a script got to know, or gave something to do at its end, ends as any other.
local function work(task, roll, dt, first)
  repeat
    local fns, selves, entities, callbacks = roll.fns, roll.selves, roll.entities, roll.callbacks
    local failing = next(roll.failing) and roll.failing
    for i = first, #fns do
      local fn = fns[i]
      if fn then
        task.entity, task.callback, at = entities[i], callbacks[i], i
        fn(selves[i], dt)
        if task.marked then
          return
        end
        if failing and failing[i] then
          callbacks[i].failures, failing[i] = 0, nil
        end
      end
    end
    roll, dt, first = raw_yield(DONE)
  until false
end


local function add(roll, me)
  local hook, n = me.hooks[roll.name], #roll.fns + 1
  hook.place = n
  roll.fns[n], roll.selves[n], roll.entities[n], roll.callbacks[n] = not hook.paused and hook.fn, me.self, me, hook
  roll.failing[n] = hook.failures > 0 or nil
end


local function call_roll(list, name)
  local roll = { name = name, fns = {}, selves = {}, entities = {}, callbacks = {}, failing = {}, left = 0 }
  for i = 1, #list do
    add(roll, list[i])
  end
  rolls[name] = roll
  return roll
end


--- Call the hooks of this entity as well, from the next time on.
function hooks.enter(me)
  for name, roll in next, rolls do
    if me.hooks[name] then
      add(roll, me)
    end
  end
end


--- Call those of this one no more.
function hooks.leave(me)
  for name, roll in next, rolls do
    local hook = me.hooks[name]
    local place = hook and hook.place
    if place then
      roll.fns[place], roll.selves[place], roll.entities[place], roll.callbacks[place] = false, false, false, false
      roll.failing[place], roll.left = nil, roll.left + 1
      if 2 * roll.left > #roll.fns then
        rolls[name] = nil
      end
    end
  end
end


-- Calls the hooks from number `first` on; gives the number of the one that ended the thread, or nothing.
local function go(roll, dt, first)
  local task = idle
  local ok, token, request
  if task then
    idle, task.state, task.instant, scheduler.current = nil, "instant", roll.name, task
    ok, token, request = raw_resume(task.thread, roll, dt, first)
  else
    task = { thread = records.new_thread(work), state = "instant", instant = roll.name, beat = true }
    scheduler.current = task
    ok, token, request = raw_resume(task.thread, task, roll, dt, first)
  end
  if token == DONE and not task.marked then
    scheduler.current, task.entity, task.callback, idle = nil, nil, nil, task
    return nil
  end
  settle(task, nil, ok, token, request)
  local hook = roll.callbacks[at]
  if hook then
    roll.fns[at], roll.failing[at] = not hook.paused and hook.fn, hook.failures > 0 or nil
  end
  return at
end


-- Calls `name` of these entities, in this order.
local function run(list, name, dt)
  local roll = rolls[name] or call_roll(list, name)
  if scheduler.ran then
    prelude.places.mark_each(list)
  end
  local last, count = 0, #roll.fns
  while last and last < count do
    last = go(roll, dt, last + 1)
  end
end


-- The same with a task for each, which a trace sees.
local function run_each(list, name, dt)
  rolls[name] = nil
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


--- Call `name` of these entities, in this order.
function hooks.call(list, name, dt)
  if not list[1] then
    return
  elseif scheduler.raw_resume == raw_resume then
    run(list, name, dt)
  else
    run_each(list, name, dt)
  end
end


--- Call those of every frame, with so many steps of `fixed_update`.
function hooks.every_frame(steps)
  for _ = 1, steps do
    hooks.call(entity.fixed, "fixed_update", prelude.pump.fixed_step)
  end
  hooks.call(entity.updaters, "update", clock.dt)
end


--- From here on a step of `fixed_update` has so many seconds.
function hooks.pace(seconds)
  prelude.pump.fixed_step = seconds
end


return hooks
