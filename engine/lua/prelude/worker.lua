-- What runs in a thread of the engine's: one function after the other, so that a handler that does not wait costs no new
-- thread. The first thread is made beside what runs there.

local prelude = ...

local create, raw_resume, raw_yield = coroutine.create, coroutine.resume, coroutine.yield
local byte = string.byte

-- As many bytes as a birth and its ticks have values on their stack: to make it longer then takes as long as ten functions.
local ROOM = "--------------------------------------------------------------------------------"

local DONE = collectgarbage -- what a worker yields that is free again: a function that no script has, as `SUSPEND`

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


if not jit then -- which has its stacks elsewhere
  worker.first = create(work)
  raw_resume(worker.first, {}, byte, ROOM, 1, -1)
end


return worker
