-- What runs in a thread of the engine's: one function after the other, so that a handler that does not wait costs no new
-- thread. The first thread is made beside what runs there.

local prelude = ...

local create, raw_yield = coroutine.create, coroutine.yield

-- What a worker yields that is free again. A function, as `SUSPEND`.
local function DONE()
end

local worker = { SUSPEND = prelude.wait.SUSPEND, DONE = DONE }


-- Body of a worker.
local function work(task, fn, ...)
  fn(...)
  local last = task.last -- true for one that serves nobody else
  if last and (last == true or last()) then
    return
  end
  return work(raw_yield(DONE))
end
worker.work = work


worker.first = not jit and create(work) -- which has its stacks elsewhere


return worker
