-- What runs in a thread of the engine's: one function after the other, so that a handler that does not wait costs no new
-- thread.

local prelude = ...

local raw_yield = coroutine.yield

local DONE = collectgarbage -- what a worker yields that is free again: a function that no script has, as `SUSPEND`

local worker = { SUSPEND = prelude.wait.SUSPEND, DONE = DONE }


-- Body of a worker.
local function work(task, fn, ...)
  fn(...)
  local last = task.last -- true for one that serves nobody else, false for one that led: at its end it comes back
  if last then
    return
  elseif last == false then
    prelude.scheduler.rouse()
  end
  return work(raw_yield(DONE))
end
worker.work = work


return worker
