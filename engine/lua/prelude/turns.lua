-- Decides which tasks of one state run in this tick: those that waited for this frame, timers, what was deferred.
-- Guarantee: a tick ends; what goes to sleep while tasks run is not run again in the same frame.
--
-- Where a task waits for its turn:
--   single    for the next frame, where no other task sleeps here at all, as in most states
--   upcoming  for the next frame, else; and `taken` is this list when that frame has come
--   sleepers  for a time: the heap of `queue.lua`
--   many      in a state with many entities, instead of the lists: `march.lua`

local prelude = ...
local queue, clock, budget = prelude.later("queue"), prelude.clock, prelude.budget

-- The scheduler is this table too, with more in it: a tick should touch few tables.
local turns = {
  current = nil, -- the task that runs
  single = nil, -- the only task that sleeps here, if it waits for the next frame
  pending = false, -- others sleep here, and none of them is in `single`
  deferrals = 0, -- how many tasks wait for the end of this tick
  stir = nil, -- while the pump takes `single` for all that happens here: to be called before anything else does
  renew = nil, -- while events are heard that are alike, of which a frame can have many: the next is a tick of its own
  put_off = nil, -- while a `start` runs early: takes the tasks of `task.every`, which begin later
  ran = nil, -- in a state with many entities, the slots of those whose tasks ran in this tick
}

local HALTED = budget.HALTED
local huge = math.huge

local upcoming, spare, count = {}, {}, 0 -- in order; some may have ended meanwhile
local taken, left = {}, 0 -- while mail is delivered and while they run
local sleepers = {} -- the first to wake is the first
local many = nil

turns.raw_resume, turns.sleepers = coroutine.resume, sleepers


-- Where a second task waits, the single one goes into the list before it.
local function enlist_single()
  if turns.single then
    count, upcoming[1] = 1, turns.single
    turns.single = nil
  end
end


--- Run `task` in the next frame, whatever the clock says then.
-- A task that is the only one to sleep here stands in `single`, where the pump looks first. The pump resumes it with
-- nothing and keeps no more than two results, so one with arguments or one that somebody waits for goes into the list.
function turns.next_frame(task)
  task.state = "next"
  if many then
    turns.pending = true
    many.add(task)
    return true
  end
  local stir = turns.stir
  if stir then
    stir()
  end
  if not turns.pending then
    if not turns.single and not task.on_end and not task.args then
      turns.single = task
      return true
    end
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
function turns.hand_over(march, ran)
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
function turns.sleep_until(task, due)
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
function turns.take_out(task)
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


--- The same for a task that has just ended: lists may keep it, they skip what has ended. `state` is what it did before.
function turns.forget(task, state)
  if many and state == "next" then
    many.doubt()
  elseif task.list then
    queue.remove(task)
  elseif turns.single == task then
    turns.single = nil
  end
  task.deferred = nil
end


--- Give `task` its turn, if it still waits for one: it goes on with nothing; one that was set aside starts with its arguments.
local function run_next(task)
  if task and task.state == "next" then
    if task.args then
      task.state = "new"
      return turns.start(task)
    end
    return turns.resume(task)
  end
end
turns.run_next = run_next


--- Set aside what waits for this frame, before mail makes more tasks wait for the next.
function turns.take_upcoming()
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
  local raw_resume, settle, SUSPEND = turns.raw_resume, turns.settle, turns.SUSPEND
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
function turns.postpone()
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
  local task = sleepers[1] and budget.exhausted ~= HALTED and queue.take_due(now)
  while task do
    turns.start(task)
    task = budget.exhausted ~= HALTED and queue.take_due(now)
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
  if request == true and token == turns.SUSPEND and ok and task.state == "running" then
    count, turns.current, task.state = count + 1, nil, "next"
    upcoming[count] = task
  else
    turns.settle(task, nil, ok, token, request)
  end
  if not sleepers[1] then
    turns.pending = count > 0
    look_for_single()
  end
  return true
end


--- The only task that waits for this frame, or false where none does, and when the first sleeper wakes; nothing where
-- more than that is to be done.
function turns.lone()
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
function turns.take_lone()
  turns.single, upcoming[1], count = nil, nil, 0
end


--- Let `task`, which slept, be the one that `lone` gives: nobody else waits for the next frame.
function turns.put_lone(task)
  queue.remove(task)
  if sleepers[1] then
    upcoming[1], count = task, 1
  else
    turns.single, turns.pending = task, false
  end
end


--- When the first sleeper wakes: true for the next frame, a time, or false for never.
function turns.wake_time()
  return (turns.single or count > 0 or many and many.waits()) and true or sleepers[1] and sleepers[1].due or false
end


return turns
