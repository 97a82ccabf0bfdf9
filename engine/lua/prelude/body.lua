-- The body of the pump: ticks without mail, for ever.
--
-- The usual tick is like the one before: the only task waits for the next frame, and its entity, of which the window shows
-- nothing, has moved. As long as that is so the state is calm, and the task leads: Python resumes its thread itself, and
-- `wait` does what there is to do. In a thousand states every table, thread and upvalue that a tick touched would be cold
-- cache lines. Whoever does anything else calls `scheduler.stir` first, which is nil while the state is not calm; then the
-- pump leads again. The limits do so only when they find too much. The first task of a state may have led before there was
-- a pump (`calm.lua`).

local prelude = ...
local scheduler, clock, outbox, budget = prelude.scheduler, prelude.clock, prelude.outbox, prelude.budget
local entity, pump, look, lead = prelude.entity, prelude.pump, prelude.screen.look, prelude.wait.lead
local sandbox, watch, steady, first = prelude.sandbox, prelude.watch, prelude.later("steady"), prelude.calm

local raw_resume, yield, status = coroutine.resume, coroutine.yield, coroutine.status
local isyieldable, getlocal = coroutine.isyieldable, debug.getlocal
local late, next_frame = entity.late, scheduler.next_frame

local body = {}

local READY = pump.READY
local LEFT = not jit -- the error that ended a thread is left on its stack

local task, spot -- of a calm state
local calm = false
local halfway = false -- the task has run in part, and goes on in the pump
local known -- the thread that Python has


function watch.stop()
  watch.class.__newindex = nil
end


-- True for a task whose thread can be resumed by Python: it comes back to the pump at its end, and all that it yields it
-- yields in `wait`.
local function may_lead(one)
  return not (scheduler.has_coroutines or one.exposed or one.ear or one.beat or one.on_end)
end


-- A tick that is not calm; gives the phase of the next, whose time the clock shows.
local function tick(phase)
  local stir = scheduler.stir -- of who hears, or of a task that leads
  if stir then
    stir()
  end
  local alone, waiting, ran, single = entity.only, scheduler.single, nil, nil
  if alone and (phase == READY or pump.even and phase >= 0
    and (pump.told or alone.shown or not waiting or not may_lead(waiting))) then
    phase, ran, single = steady.run(phase)
    stir = scheduler.stir -- of who has come to hear meanwhile: this is another tick
    if stir then
      stir()
    end
  end
  if not ran and not single then
    if scheduler.single then
      single = pump.run_single(phase)
    elseif budget.begin and not budget.fresh then
      budget.begin()
    end
  end
  clock.now, clock.dt, clock.frame, phase = pump.finish(phase, single, ran)
  return phase
end


-- True if what the next tick will be is known, as the last was such a one: the only task runs, and its entity moves at most.
-- Python may have set a field since, which is told now.
local function foresee()
  task, spot = scheduler.single, entity.plain
  if task and spot and pump.even and not pump.told and not spot.shown and may_lead(task) and not scheduler.stir
    and outbox.n == 0 and scheduler.deferrals == 0 and not late[1] and watch.begin(spot.self) then
    look(spot)
    if not spot.shown then
      return true
    end
    watch.stop()
  end
  return false
end
body.foresee = foresee


-- The task lay in wait for the birth of its entity, and did more in it than to move and to wait: what the world is to know of
-- that comes first.
local function tell(me)
  local stir = scheduler.stir
  scheduler.stir, first.told = nil, true
  if task.listed then
    me:disown(task) -- until its first wait
  end
  outbox.put("script", me.id, false, false, true)
  if me.methods then
    prelude.script.find_hooks(me, me.class)
    prelude.script.tell_methods(me)
  end
  if task.callback.name == "start" then
    entity.tell_ready(me)
  end
  scheduler.stir = stir
end


-- Its entity was not born, and is to be born as any other.
local function give_up(me)
  scheduler.stir, scheduler.current, pump.even = nil, nil, false
  if task.listed then
    me:disown(task)
  end
  lead(nil)
end


-- The state is calm no longer, and the pump leads again. A task that runs goes on there: at once, or, where a C function or
-- another thread is in the way, as soon as it may.
local function stir()
  local state, me = status(task.thread), task.entity
  if calm then
    calm, spot.x, spot.y, scheduler.single = false, nil, nil, nil
    watch.stop()
  end
  if me.id == 0 then
    return give_up(me)
  elseif me.born == clock.frame and state ~= "suspended" and not first.told then
    tell(me)
  end
  if state == "normal" or state == "running" and not isyieldable() then
    return lead(false)
  end
  scheduler.stir = nil
  lead(nil)
  if state == "suspended" then
    scheduler.current = nil
    next_frame(task)
  elseif state == "running" then
    halfway = true
    yield()
  end
end


-- Lets the task lead; gives the phase of the tick in which the pump does again, and what Python knows of the task's error.
local function step_aside()
  if budget.begin then
    budget.begin()
  end
  calm, scheduler.stir, scheduler.current, task.state = true, stir, task, "running"
  task.last = false -- at its end it comes back
  lead(spot.self)
  local phase, problem
  clock.now, clock.dt, clock.frame, phase, problem = yield()
  return phase, problem
end


--- The thread that leads, for Python; true where it has that already.
function body.leader()
  if not calm or task.thread == known then
    return calm
  end
  known = task.thread
  return known
end


-- The error that ended the task. Lua leaves it on top of the thread's stack; of LuaJIT's Python knows the text, if it is one.
local function error_of(thread, text)
  known = nil
  if not LEFT then
    return text ~= "" and text or sandbox.raised
  end
  local top = 0
  while getlocal(thread, 0, top + 1) do
    top = top + 1
  end
  local _, value = getlocal(thread, 0, top)
  return value
end


-- The end of a tick that was calm until the task did something else than to wait for the next frame.
local function finish(phase, ok, token, request)
  if task.listed then
    pump.settle_single(task, ok, token, request)
  else -- it has just been born, and its entity is still to answer for it
    scheduler.settle(task, nil, ok, token, request)
  end
  clock.now, clock.dt, clock.frame, phase = pump.finish(phase, task)
  return phase
end


-- The tick in which the pump leads again, as that of `tick`.
local function go_on(phase, problem)
  if halfway then
    halfway = false
    return finish(phase, raw_resume(task.thread))
  elseif problem and scheduler.stir == stir then
    stir()
    return finish(phase, false, error_of(task.thread, problem))
  end
  return tick(phase)
end


--- Ticks for ever.
function body.run()
  local phase, problem
  clock.now, clock.dt, clock.frame, phase, problem = yield(true)
  if task then
    phase = go_on(phase, problem)
  end
  while true do
    if phase >= 0 and scheduler.single and foresee() then
      phase = go_on(step_aside())
    else
      phase = tick(phase)
    end
  end
end


if first.first then
  entity.take_in(first.first)
end
if first.task then -- it leads
  task, spot = first.task, entity.only
  calm, known, pump.even, scheduler.stir, scheduler.single, scheduler.current = true, task.thread, true, stir, task, task
  if spot.me.hooks.start then
    spot.me:own(task) -- else it is gone with the next frame
  end
end


return body
