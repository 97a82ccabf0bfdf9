-- Futures: what a task started beside its caller will give, for any number of tasks to wait for.
-- Guarantee: a failure is raised in every task that waits for it; where nobody waits, it is a problem.

local prelude = ...
local scheduler, records = prelude.scheduler, prelude.records
local task, group, several = prelude.task, prelude.group, prelude.later("several")
local suspension, stops, exposed = prelude.suspension, prelude.stops, prelude.exposed

local error, next, rawequal, type, setmetatable = error, next, rawequal, type, setmetatable
local unpack, select, format = table.unpack or unpack, select, string.format

local async = { all = group.all, race = group.race }

local inside = setmetatable({}, { __mode = "k" }) -- what a script holds -> the future itself, which knows nothing of it
local Future = {}
Future.__index, Future.__metatable = Future, false


local function future_of(handle, word)
  local future = inside[handle]
  if not future then
    error(format("future:%s: expected a future; call it with a colon, future:%s()", word, word), 3)
  end
  return future
end


--- A future that somebody will settle, and what scripts hold of it. `cancel()` is called when a script cancels it.
function async.new(cancel)
  local handle = setmetatable({}, Future)
  local future = { state = "pending", awaiters = {}, n = 0, cancel = cancel }
  inside[handle] = future
  return future, handle
end


--- Settle once and for all: true and the results, or false, the error, its traceback and the task that failed, if any.
function async.settle(future, ok, ...)
  if future.state ~= "pending" then
    return
  end
  future.cancel = nil
  if ok then
    future.state, future.values = "done", { n = select("#", ...), ... }
  elseif rawequal((...), stops.CANCELLED) then
    future.state = "cancelled"
  else
    future.state = "failed"
    future.value, future.trace, future.culprit = ...
  end
  local awaiters = future.awaiters
  future.awaiters = nil
  for i = 1, future.n do
    if awaiters[i] then
      suspension.wake_later(awaiters[i])
    end
  end
  if future.state == "failed" and not future.claimed then
    prelude.deferral.at_tick_end(function()
      if not future.claimed then
        prelude.failures.on_failure(future.culprit, future.value, future.trace)
      end
    end)
  end
end


--- Run `fn(...)` beside the calling task, from now to its first wait; returns the future of what it returns.
function async.start(fn, ...)
  prelude.checks.check_function("async.start", fn, 2)
  local child = exposed.adopt(records.new_thread(task.function_of(fn)), scheduler.current.entity, 2)
  exposed.remember(child, 2)
  local future, handle = async.new(function()
    stops.stop(child)
  end)
  future.task = child
  child.on_end = function(ok, ...)
    future.task = nil
    if ok then
      return async.settle(future, true, ...)
    end
    local value, trace = ...
    async.settle(future, false, value, trace, child)
  end
  several.start(child, ...)
  return handle
end


local function suspend_for(future, me)
  if future.task == me then
    error("future:await: a task cannot wait for its own end", 3)
  end
  suspension.check_can_wait("future:await", 3)
  local at = future.n + 1
  future.n = at
  future.awaiters[at] = me
  future.claimed = true
  me.abandon = function()
    if future.awaiters then
      future.awaiters[at] = nil
      future.claimed = next(future.awaiters) ~= nil
    end
  end
  suspension.suspend("future:await", 3)
  me.abandon = nil
end


--- Suspend until the future is settled; returns its results or raises its error. Any number of tasks may, at any time.
function Future:await()
  local future, me = future_of(self, "await"), scheduler.current
  if future.state == "pending" then
    suspend_for(future, me)
  end
  future.claimed = true
  if future.state == "done" then
    return unpack(future.values, 1, future.values.n)
  elseif future.state == "cancelled" then
    error("future:await: it was cancelled", 2)
  end
  me.cause = { value = future.value, trace = future.trace }
  error(future.value, 0)
end


--- End the work behind it. Those who wait get an error; a settled future stays what it is.
function Future:cancel()
  local future = future_of(self, "cancel")
  local cancel = future.cancel
  if cancel then
    future.cancel = nil
    cancel()
    stops.heed()
  end
end


--- "pending", "done", "failed" or "cancelled".
function Future:status()
  return future_of(self, "status").state
end


--- For `all` and `race`: a function that waits for a future, which itself goes on whatever becomes of them.
function group.awaiter(value)
  if type(value) == "table" and inside[value] then
    return function()
      return value:await()
    end
  end
  return nil
end


function async.library()
  return prelude.files.pick(async, { "start", "all", "race" })
end


return async
