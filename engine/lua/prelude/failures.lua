-- Ends tasks that failed, and tells the world what went wrong in scripts.
-- Guarantee: a tick tells a bounded number of problems of bounded length.

local prelude = ...
local scheduler, outbox, fault, exposed = prelude.scheduler, prelude.outbox, prelude.fault, prelude.exposed
local overruns, finish, close = prelude.overruns, prelude.endings.finish, prelude.stops.close

local tostring, cut, match, put = tostring, string.sub, string.match, outbox.put

local MOST_FAILURES = 100 -- of a tick that become problems
local LONGEST_PROBLEM = 2000 -- without its place

local failures = {}


-- What a failed callback is to the world: a subscription that listens on, or no more, a handler of requests, or neither.
local function role_of(callback)
  if not callback then
    return false
  elseif callback.id then
    return callback.active and "listens" or "heard"
  end
  return callback.answers and "answers" or false
end


--- An error nobody waits for becomes a problem; of very many in one tick the first do.
function failures.on_failure(task, value, trace, where)
  local me = task.entity
  outbox.failures = outbox.failures + 1
  if outbox.failures > MOST_FAILURES then
    if outbox.failures == MOST_FAILURES + 1 then
      put("problem", me.id, "more than " .. MOST_FAILURES .. " failures in one tick; the others are not shown", "", false,
        false, false)
      scheduler.quiet = true
    end
    return
  end
  local maker = exposed.origin(task) or false
  local callback = task.callback
  local text = task.failure or fault.describe(value)
  local longest = LONGEST_PROBLEM + #(match(text, "^[^:\n]+:%d+: ") or "")
  put("problem", me.id, cut(text, 1, longest), cut(trace, 1, 4 * LONGEST_PROBLEM), maker,
    where or callback and callback.name or task.instant or false, role_of(callback))
end


--- Deferred tasks keep deferring others.
function failures.on_overrun(task, rounds)
  failures.on_failure(task, "task.defer: deferred tasks still defer others after " .. rounds
    .. " rounds; the rest goes on in the next frame", "")
end


--- A callback failed too often and is not called any more.
function failures.on_pause(task, callback)
  callback.often = nil
  put("paused", task.entity.id, tostring(callback.name), callback.failures)
end


--- True after so many failures in a row that a callback is paused until its script reloads.
function failures.gives_up(times)
  local limit = scheduler.error_limit
  return limit and times >= limit or false
end


local function count_failure(task, callback)
  callback.failures = callback.failures + 1
  if not callback.paused and failures.gives_up(callback.failures) then
    callback.paused = true
    failures.on_pause(task, callback)
  end
end


--- End `task`, which raised `value`; it is a problem unless somebody waits for the task.
function failures.fail(task, value)
  value = overruns.explain(task, value)
  local text = fault.locate(task.thread, value)
  task.failure = text
  local trace = scheduler.quiet and "" or fault.trace(task.thread, text)
  local cause = task.cause
  if cause and fault.stems_from(value, cause.value) then
    trace = trace .. "\n" .. cause.trace
  end
  close(task.entity, task.thread, value)
  local callback = task.callback
  if not task.resumed_by_script and (not task.on_end or task.reported) then
    failures.on_failure(task, text, trace)
  end
  if callback then
    count_failure(task, callback)
  end
  finish(task, false, value, trace, text)
end


return failures
