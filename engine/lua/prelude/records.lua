-- The records of the tasks of one state, and the Lua threads inside them.
-- Guarantee: a record that has ended holds nothing alive, and no script ever holds a token.

local prelude = ...
local worker = prelude.worker
local workers = { idle = {}, n = 0 }

-- Tokens are functions: tables could be compared by a script, whose `__eq` would be given the token.
local function token(n)
  return function()
    return n
  end
end


local records = {
  SUSPEND = worker.SUSPEND, -- a task waits
  REFUSED = token(2), -- the answer to a wait that a C function further out does not let through
  DONE = worker.DONE, -- a worker is free again
  token = token,
  workers = workers,
  on_thread = nil, -- called with every new thread; the limits set it
}

local create, work = coroutine.create, worker.work
local POOL = 16 -- idle workers kept per state
local DEPTH = 7 -- calls inside each other


function records.new_thread(fn)
  local thread = create(fn)
  if records.on_thread then
    records.on_thread(thread)
  end
  return thread
end


--- Values and calls as deep as in a tick, so that there is room for them: to make the stack longer takes as long as ten
-- functions of the engine.
function records.stretch(depth, ...)
  if depth > 0 then
    return (records.stretch(depth - 1, depth, ...))
  end
end


--- A task whose thread takes (itself, function, arguments...) when it is resumed.
function records.hire(entity)
  local n = workers.n
  if n > 0 then
    local idle = workers.idle
    local task = idle[n]
    idle[n] = nil
    workers.n = n - 1
    task.entity, task.state = entity, "new"
    return task
  end
  return { thread = records.new_thread(work), entity = entity, state = "new" }
end


--- Take back a worker that yielded `DONE`; a thread for hooks, a `beat`, takes other values and serves nobody else.
function records.release(task)
  local n = workers.n + 1
  if not task.exposed and not task.beat and (n <= POOL or task.ear) then
    task.listed, task.instant, task.reported, task.cause, task.marked = nil, nil, nil, nil, nil
    if task.ear then
      workers.ear = task
      return
    end
    workers.idle[n] = task
    workers.n = n
  end
end


if not jit then -- which has its stacks elsewhere
  records.stretch(DEPTH)
end


return records
