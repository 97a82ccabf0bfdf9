-- Runs the tasks of one state where more than one sleeps, or one for longer than to the next frame.
-- Guarantee: those that waited for this frame run in the order in which they went to sleep, then the timers, in the order of
-- their wake times.
--
-- Where a task waits for its turn:
--   upcoming  for the next frame; and `taken` is this list when that frame has come
--   sleepers  for a time: the heap of `queue.lua`
--   many      in a state with many entities, instead of the lists: `march.lua`

local prelude = ...
local turns, queue, clock, budget = prelude.scheduler, prelude.queue, prelude.clock, prelude.budget

local select, unpack = select, table.unpack or unpack
local huge = math.huge
local settle, resume, SUSPEND = turns.settle, turns.resume, turns.SUSPEND

local several = {}

local upcoming, spare, count = {}, {}, 0 -- in order; some may have ended meanwhile
local taken, left = {}, 0 -- while mail is delivered and while they run
local sleepers = queue.heap -- the first to wake is the first
local many = nil


-- Where a second task waits, the single one goes into the list before it.
local function enlist_single()
  if turns.single then
    count, upcoming[1] = 1, turns.single
    turns.single = nil
  end
end


--- Run `task` in the next frame, in which others run, too.
function several.enlist(task)
  if many then
    turns.pending = true
    many.add(task)
    return true
  elseif not turns.pending then
    turns.pending = true
    enlist_single()
  end
  count = count + 1
  upcoming[count] = task
  return true
end


-- Gives `march` those of a list that still wait: the others have ended, or went on by themselves.
local function pass_on(list, n)
  for i = 1, n do
    local task = list[i]
    if task and task.state == "next" then
      many.add(task)
    end
  end
end


--- Let `march` run those that wait for the next frame from here on, and note in `ran` whose tasks run.
function several.hand_over(march, ran)
  enlist_single()
  many, turns.ran = march, ran
  pass_on(taken, left)
  many.take()
  pass_on(upcoming, count)
  turns.pending = turns.pending or count > 0
  upcoming, taken, count, left = {}, {}, 0, 0
end


--- Note that `entity` may have moved.
function turns.mark(entity)
  local ran = turns.ran
  if ran then
    local n = ran.n + 1
    ran.n, ran[n] = n, entity.slot
  end
end


--- Run `task` in the first frame with now >= `due`.
function several.sleep_until(task, due)
  local stir = turns.stir
  if stir then
    stir()
  end
  if not turns.pending then
    turns.pending = true
    enlist_single()
  end
  queue.sleep(task, due)
end


local function strike(list, n, task)
  for i = n, 1, -1 do
    if list[i] == task then
      list[i] = false
      return
    end
  end
end


--- Take `task` out, wherever it waits for its turn: it is going to run now, and must not run twice.
local function take_out(task)
  if task.list then
    queue.remove(task)
  elseif task.state == "next" then
    if many then
      many.strike(task)
    elseif turns.single == task then
      turns.single = nil
    end
    strike(upcoming, count, task)
    strike(taken, left, task)
  end
  task.deferred = nil
end
several.take_out = take_out


--- Forget `task`, which has just ended, and was not the single one.
function several.forget(task, state)
  if many and state == "next" then
    many.doubt()
  elseif task.list then
    queue.remove(task)
  end
end


--- Start or go on with `task` now, with these values, else with those that were set aside for it. One that waits for its
-- time gets none: the function that waits would take them for the engine's answer.
local function start(task, ...)
  take_out(task)
  task.abandon = nil
  local args, state = task.args, task.state
  if args then
    task.args = nil
    if select("#", ...) == 0 then
      return resume(task, unpack(args, 1, args.n))
    end
  elseif state == "waiting" or state == "next" then
    return resume(task)
  end
  return resume(task, ...)
end
several.start = start


--- Give `task` its turn, if it still waits for one: it goes on with nothing; one that was set aside starts with its arguments.
local function run_next(task)
  if task and task.state == "next" then
    if task.args then
      task.state = "new"
      return start(task)
    end
    return resume(task)
  end
end
several.run_next = run_next


--- Set aside what waits for this frame.
function several.take_upcoming()
  if many then
    return many.take()
  elseif turns.single then
    enlist_single()
  end
  if count > 0 then
    taken, left = upcoming, count
    upcoming, spare, count = spare, upcoming, 0
    turns.pending = true
  end
end


-- What nearly all do is written out: they wait for the next frame again. More than two results are kept for who waits
-- for a task, and its arguments are given to one that has not begun.
local function run_taken()
  local list, n = taken, left
  local raw_resume, settle, SUSPEND = turns.raw_resume, settle, SUSPEND -- luacheck: ignore 431
  for i = 1, n do
    local task = list[i]
    list[i] = nil
    if not task or task.args or task.on_end then
      run_next(task)
    elseif task.state == "next" then
      turns.current, task.state = task, "running"
      local ok, token, request = raw_resume(task.thread)
      if request == true and token == SUSPEND and ok and task.state == "running" then
        local m = count + 1
        count, upcoming[m], task.state = m, task, "next"
      else
        settle(task, nil, ok, token, request)
      end
    end
  end
  turns.current, left = nil, 0
end


--- Leave what waited for this frame, and has not had its turn, for the next one.
function several.postpone()
  if many then
    many.postpone()
  end
  for i = 1, left do
    local task = taken[i]
    taken[i] = task and false
    if task and task.state == "next" then
      count = count + 1
      upcoming[count] = task
    end
  end
end


-- Where all but one have ended, that one has the fast place again.
local function look_for_single()
  local task = upcoming[1]
  if count == 1 and task and task.state == "next" and not task.on_end and not task.args then
    upcoming[1], count = nil, 0
    turns.single, turns.pending = task, false
  end
end


--- Run what is due: first the waits that were taken for this frame, then the timers, in the order of their wake times.
function turns.run_due()
  if many then
    many.run()
  else
    run_taken()
  end
  local now = clock.now
  local task = sleepers[1] and budget.exhausted ~= "halted" and queue.take_due(now)
  while task do
    start(task)
    task = budget.exhausted ~= "halted" and queue.take_due(now)
  end
  if sleepers[1] then
    turns.pending = true
  else
    turns.pending = count > 0 or many and many.waits() or false
    look_for_single()
  end
end


--- The same where no timer is due and at most one task waits for this frame, as is usual; false where it is not so.
-- After one that `ran` before, who waits, waits for the next.
function turns.run_usual(now, ran)
  local first, task = sleepers[1], upcoming[1]
  if left > 0 or not first or first.due <= now or count > 1 then
    return false
  elseif count == 0 or ran then
    return true
  elseif not task or task.state ~= "next" or task.args or task.on_end then
    return false
  end
  upcoming[1], count = nil, 0
  turns.current, task.state = task, "running"
  local ok, token, request = turns.raw_resume(task.thread)
  if request == true and token == SUSPEND and ok and task.state == "running" then
    count, turns.current, task.state = count + 1, nil, "next"
    upcoming[count] = task
  else
    settle(task, nil, ok, token, request)
  end
  if not sleepers[1] then
    turns.pending = count > 0
    look_for_single()
  end
  return true
end


--- The only task that waits for this frame, or false where none does, and when the first sleeper wakes; nothing where
-- more than that is to be done.
function several.lone()
  local task, first = turns.single, sleepers[1]
  local due = first and first.due or huge
  if count > 1 or left > 0 or turns.deferrals > 0 or turns.ran then
    return nil
  elseif count == 1 then
    task = upcoming[1]
    if not task or task.state ~= "next" or task.args then
      return nil
    end
  end
  if task and task.on_end then
    return nil
  end
  return task or false, due
end


--- Take out the task that `lone` gave.
function several.take_lone()
  turns.single, upcoming[1], count = nil, nil, 0
end


--- Let `task`, which slept, be the one that `lone` gives: nobody else waits for the next frame.
function several.put_lone(task)
  queue.remove(task)
  if sleepers[1] then
    upcoming[1], count = task, 1
  else
    turns.single, turns.pending = task, false
  end
end


--- When the first of those wakes: true for the next frame, a time, or false for never.
function several.wake_time()
  return (count > 0 or many and many.waits()) and true or sleepers[1] and sleepers[1].due or false
end


return several
