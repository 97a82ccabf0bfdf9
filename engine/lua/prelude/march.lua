-- Runs the tasks that wait for the next frame, in a state with many entities. What a turn needs stands in lists, so that
-- of the task itself nothing is touched but its thread: in ten thousand, each table would be a cold cache line.
-- Guarantee: they run in the order in which they went to sleep, once in a frame, and never after their end.
--
-- A task that only waits again need not know that it runs: its state stays "next". Whoever looks at states calls
-- `scheduler.stir` first.

local prelude = ...
local scheduler, several, SUSPEND = prelude.scheduler, prelude.later("several"), prelude.records.SUSPEND

local BATCH = 16 -- tasks that run until their entities are looked at, while these are still in the cache

local march = {
  pass = nil, -- function(seats, first, last): looks at the entities that sit there
}

-- By turn: the task, its thread where it can just go on, and where its entity sits.
local tasks, threads, seats, count = {}, {}, {}, 0 -- of the next frame
local due_tasks, due_threads, due_seats, left = {}, {}, {}, 0 -- of this one
local at = 0 -- the turn of the task that runs
local mixed, due_mixed = false, false -- some of these may have ended, gone on meanwhile, or take the long way
local used, due_used = 0, 0 -- how many places of the lists are not empty
local calm = false -- the task that runs does not know it

-- As long as each waits for the next frame in its turn, and nobody else does, the lists of the next frame are these, and
-- nothing is written.
local same = false


local function stir()
  if calm then
    calm, scheduler.stir = false, nil
    due_tasks[at].state = "running"
  end
end


-- It is not so any more: writes what the lists of the next frame have so far.
local function part()
  if same then
    same = false
    stir()
    for i = 1, at - 1 do
      tasks[i], threads[i], seats[i] = due_tasks[i], due_threads[i], due_seats[i]
    end
    count = at - 1
  end
end


--- Run `task` in the next frame. One that has not begun, that somebody waits for, or that has no seat yet, takes the long way.
function march.add(task)
  part()
  local seat, n = task.entity.slot, count + 1
  local thread = seat > 0 and not task.args and not task.on_end and task.thread
  count, tasks[n], threads[n], seats[n] = n, task, thread, seat
  mixed = mixed or not thread
end


--- True where some wait for the next frame.
function march.waits()
  return count > 0
end


local function swap()
  due_tasks, due_threads, due_seats, tasks, threads, seats = tasks, threads, seats, due_tasks, due_threads, due_seats
  due_used, used = used, due_used
end


--- Set aside those of this frame, before others wait for the next.
function march.take()
  if count > 0 then
    used = used > count and used or count
    swap()
    left, count, at = count, 0, 0
    due_mixed, mixed = mixed, false
  end
end


--- Some task that was to have its turn has ended.
function march.doubt()
  part()
  mixed, due_mixed = true, true
end


local function strike(list, ready, first, last, task)
  for i = first, last do
    if list[i] == task then
      list[i], ready[i] = false, false
    end
  end
end


--- Take `task` out, which is going to run now.
function march.strike(task)
  march.doubt()
  strike(tasks, threads, 1, count, task)
  strike(due_tasks, due_threads, at + 1, left, task)
end


--- Leave those that have not had their turn for the next frame.
function march.postpone()
  march.doubt()
  for i = at + 1, left do
    local task = due_tasks[i]
    due_tasks[i], due_threads[i] = false, false
    if task and task.state == "next" then
      march.add(task)
    end
  end
end


-- Runs those whose turns are `first` to `last`, of which each can just go on. Ends behind one that does anything else but to
-- wait again; gives its turn, or the last, and what it gave.
local function run_alike(first, last)
  local raw_resume, scheduler, SUSPEND = scheduler.raw_resume, scheduler, SUSPEND -- luacheck: ignore 431
  local due_tasks, due_threads = due_tasks, due_threads -- luacheck: ignore 431
  calm, scheduler.stir = true, stir
  for i = first, last do
    at, scheduler.current = i, due_tasks[i]
    local ok, token, request = raw_resume(due_threads[i])
    if request ~= true or token ~= SUSPEND or not calm then
      return i, ok, token, request
    end
  end
  return last, true, SUSPEND, true
end


-- The task whose turn it is has run: it waits for the next frame again, as nearly all do, or did something else.
local function settle(ok, token, request)
  local task = due_tasks[at]
  if request ~= true or token ~= SUSPEND or not ok or not calm and task.state ~= "running" then
    part()
    stir()
    return scheduler.settle(task, nil, ok, token, request)
  elseif not calm then
    task.state = "next"
  end
  if not same then
    local n = count + 1
    count, tasks[n], threads[n], seats[n] = n, task, due_threads[at], due_seats[at]
  end
end


local function run_some(first, last)
  local i = first
  while i <= last do
    local ok, token, request
    if same then
      i, ok, token, request = run_alike(i, last)
      settle(ok, token, request)
    else
      local task, thread = due_tasks[i], due_threads[i]
      at = i
      if thread and not (due_mixed and task.state ~= "next") then
        calm, scheduler.stir, scheduler.current = true, stir, task
        settle(scheduler.raw_resume(thread))
      else
        calm, scheduler.stir = false, nil
        several.run_next(task)
      end
    end
    i = i + 1
  end
  calm, scheduler.stir, scheduler.current = false, nil, nil
end


-- What is behind these is not written again in the next frame, and would keep alive what has ended.
local function clear(list, ready, first, last)
  for i = first, last do
    list[i], ready[i] = nil, nil
  end
end


--- Run those of this frame.
function march.run()
  local last = left
  same = last > 0 and count == 0 and not due_mixed
  for first = 1, last, BATCH do
    local to = first + BATCH - 1
    to = to < last and to or last
    run_some(first, to)
    march.pass(due_seats, first, to)
  end
  local kept = count
  if same then
    same, count, kept = false, last, 0
    swap()
  end
  left, at = 0, 0
  clear(tasks, threads, count + 1, used)
  clear(due_tasks, due_threads, kept + 1, due_used)
  used, due_used = used < count and used or count, due_used < kept and due_used or kept
end


return march
