-- Runs the tasks that wait for the next frame, in a state with many entities. What a turn needs stands in lists, so that
-- of the task itself nothing is touched but its thread: in ten thousand, each table would be a cold cache line.
-- Guarantee: they run in the order in which they went to sleep, once in a frame, and never after their end.
--
-- A task that only waits again need not know that it runs: its state stays "next". Whoever looks at states calls
-- `scheduler.stir` first.

local prelude = ...
local scheduler, SUSPEND = prelude.scheduler, prelude.records.SUSPEND

local BATCH = 16 -- tasks that run until their entities are looked at, while these are still in the cache

local march = {
  pass = nil, -- function(seats, first, last): looks at the entities that sit there
}

-- By turn: the task, its thread where it can just go on, and where its entity sits.
local tasks, threads, seats, count = {}, {}, {}, 0 -- of the next frame
local due_tasks, due_threads, due_seats, left = {}, {}, {}, 0 -- of this one
local at = 0 -- the turn of the task that runs
local gone, due_gone = false, false -- some of these may have ended, or gone on, meanwhile
local used, due_used = 0, 0 -- how many places of the lists are not empty
local calm = false -- the task that runs does not know it


local function stir()
  if calm then
    calm, scheduler.stir = false, nil
    due_tasks[at].state = "running"
  end
end


--- Run `task` in the next frame. One that has not begun, that somebody waits for, or that has no seat yet, takes the long way.
function march.add(task)
  local seat, n = task.entity.slot, count + 1
  count, tasks[n], seats[n] = n, task, seat
  threads[n] = seat > 0 and not task.args and not task.on_end and task.thread
end


--- True where some wait for the next frame.
function march.waits()
  return count > 0
end


--- Set aside those of this frame, before others wait for the next.
function march.take()
  if count > 0 then
    due_tasks, due_threads, due_seats, tasks, threads, seats = tasks, threads, seats, due_tasks, due_threads, due_seats
    due_used, used = used > count and used or count, due_used
    left, count, at = count, 0, 0
    due_gone, gone = gone, false
  end
end


--- Some task that was to have its turn has ended.
function march.doubt()
  gone, due_gone = true, true
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
  strike(tasks, threads, 1, count, task)
  strike(due_tasks, due_threads, at + 1, left, task)
end


--- Leave those that have not had their turn for the next frame.
function march.postpone()
  for i = at + 1, left do
    local task = due_tasks[i]
    due_tasks[i], due_threads[i] = false, false
    if task and task.state == "next" then
      march.add(task)
    end
  end
end


-- What nearly all do is written out: they wait for the next frame again.
local function run_some(first, last)
  local raw_resume, scheduler, SUSPEND = scheduler.raw_resume, scheduler, SUSPEND -- luacheck: ignore 431
  local due_tasks, due_threads, due_seats = due_tasks, due_threads, due_seats -- luacheck: ignore 431
  local tasks, threads, seats = tasks, threads, seats -- luacheck: ignore 431
  for i = first, last do
    local task, thread = due_tasks[i], due_threads[i]
    at = i
    if thread and not (due_gone and task.state ~= "next") then
      if not calm then
        calm, scheduler.stir = true, stir
      end
      scheduler.current = task
      local ok, token, request = raw_resume(thread)
      if request == true and token == SUSPEND and ok and (calm or task.state == "running") then
        if not calm then
          task.state = "next"
        end
        local n = count + 1
        count, tasks[n], threads[n], seats[n] = n, task, thread, due_seats[i]
      else
        stir()
        scheduler.settle(task, nil, ok, token, request)
      end
    else
      calm, scheduler.stir = false, nil
      scheduler.run_next(task)
    end
  end
  calm, scheduler.stir, scheduler.current = false, nil, nil
end


local function clear(tasks, threads, first, last) -- luacheck: ignore 431
  for i = first, last do
    tasks[i], threads[i] = nil, nil
  end
end


--- Run those of this frame.
function march.run()
  local last = left
  for first = 1, last, BATCH do
    local to = first + BATCH - 1
    to = to < last and to or last
    run_some(first, to)
    march.pass(due_seats, first, to)
  end
  left, at = 0, 0
  -- What is behind these is not written again in the next frame, and would keep alive what has ended.
  clear(due_tasks, due_threads, count + 1, due_used)
  clear(tasks, threads, count + 1, used)
  due_used, used = due_used < count and due_used or count, used < count and used or count
end


return march
