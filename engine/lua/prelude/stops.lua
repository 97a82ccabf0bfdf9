-- Ends tasks of one state that do not end by themselves: those that are cancelled, those of an entity that dies.
-- Guarantee: what a task left to be done at its end is done, last added first; what it had marked `<close>` is closed.

local prelude = ...
local records, endings, budget = prelude.records, prelude.endings, prelude.budget

-- The scheduler is this table too, with more in it.
local scheduler = prelude.scheduler

local raw_yield, raw_close, isyieldable = coroutine.yield, coroutine.close, coroutine.isyieldable
local status = coroutine.status
local error, next, pcall, rawequal, setmetatable = error, next, pcall, rawequal, setmetatable
local sort, format = table.sort, string.format
local getinfo, setlocal = debug.getinfo, debug.setlocal
local finish, SUSPEND = endings.finish, records.SUSPEND

local MANY, STOP = 100, 200 -- tasks that are ended at once, and the instructions that each of more counts
local MOST_CLEANUPS = 1000 -- of a task: all run when it ends, at once
local DEPTH = 100 -- calls inside each other whose variables are let go of
local LAST_ROUNDS = 8 -- of cancelling, when clean-ups of a dying entity start new tasks

local closing = false

scheduler.CANCELLED = setmetatable({ message = "the task was cancelled" }, { __metatable = false })


-- Lets go of what lies on the stack of a thread that Lua ended for lack of memory: as long as somebody knows it, that would be
-- in use, and its state too big.
local function empty(thread)
  for level = 0, DEPTH do
    if not getinfo(thread, level, "l") then
      return
    end
    local n = 1
    while setlocal(thread, level, n, nil) do
      n = n + 1
    end
  end
end


--- Run what `thread` had marked `<close>`; an error there is reported, unless it is `value`, which ended the task.
local function close(entity, thread, value)
  local killed = budget.killed[thread]
  if killed then
    return killed == "no memory" and status(thread) == "dead" and pcall(empty, thread)
  elseif closing then
    pcall(raw_close, thread)
    if budget.stopping then
      prelude.overruns.explain({ entity = entity, thread = thread })
    end
  elseif raw_close then
    closing = true
    scheduler.call(entity, "closing a task", function()
      local ok, problem = raw_close(thread)
      if not ok and not rawequal(problem, value) then
        error(problem, 0)
      end
    end)
    closing = false
  end
end
scheduler.close = close


local function destroy(task)
  close(task.entity, task.thread)
  finish(task, false, scheduler.CANCELLED)
end
scheduler.destroy = destroy


--- End `task` now, or where it next waits if it is running. Ended tasks stay as they are.
function scheduler.stop(task)
  local stir = scheduler.stir
  if stir then
    stir()
  end
  local state = task.state
  if state == "running" or state == "instant" then
    task.state = "cancelled"
  elseif state ~= "done" and state ~= "cancelled" then
    destroy(task)
  end
end


local function stop_list(numbers, tasks)
  for i = 1, #numbers do
    scheduler.stop(tasks[numbers[i]])
  end
end


--- End every task that is a key of `set`, oldest first.
function scheduler.stop_each(set)
  local numbers, tasks = {}, {}
  for task in next, set do
    local number = task.number
    numbers[#numbers + 1], tasks[number] = number, task
  end
  sort(numbers)
  if budget.hook and #numbers > MANY then
    prelude.overruns.trust(#numbers * STOP, stop_list, numbers, tasks)
  else
    stop_list(numbers, tasks)
  end
end


--- End the calling task here, if it has been stopped while it ran.
function scheduler.heed()
  local me = scheduler.current
  if me and me.state == "cancelled" and isyieldable() then
    if scheduler.stir then
      scheduler.stir() -- it leads
    end
    raw_yield(SUSPEND)
  end
end


--- End every task of a dying entity; what their clean-ups start ends too.
function scheduler.cancel_all(entity)
  for _ = 1, LAST_ROUNDS do
    if not next(entity.tasks) then
      return
    end
    scheduler.stop_each(entity.tasks)
  end
  entity.ending = true
  scheduler.stop_each(entity.tasks)
end


--- Add `fn` to what runs when the calling task ends, last added first.
function scheduler.finally(fn)
  local task = scheduler.current
  if task.instant == "finally" then
    error("task.finally: a clean-up cannot leave another one behind; do it in this one", 3)
  end
  local list = task.cleanups
  if not list then
    local stir = scheduler.stir
    if stir then
      stir()
    end
    list = {}
    task.cleanups, task.marked = list, true
  end
  if #list >= MOST_CLEANUPS then
    error(format("task.finally: the task has %d clean-ups and gets no more; does a loop add one each time?", #list), 3)
  end
  list[#list + 1] = fn
end


--- Run what `task` left to be done at its end.
function scheduler.run_cleanups(task)
  local list = task.cleanups
  task.cleanups = nil
  for i = budget.exhausted == "halted" and 0 or #list, 1, -1 do
    scheduler.call(task.entity, "finally", list[i])
  end
end


return scheduler
