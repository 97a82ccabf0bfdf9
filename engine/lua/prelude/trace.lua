-- Notes when tasks run and when payloads are put into the outbox, while a trace is on.
-- Guarantee: with no trace on, nothing here is called; what is replaced is put back when it ends.

local prelude = ...
local scheduler, outbox, clock, fault = prelude.scheduler, prelude.posting, prelude.clock, prelude.fault
local bus, encode = prelude.bus, prelude.payload.encode
local receive, take_event = bus.receive, bus.take_event

local trace = { now = nil } -- the world's clock for traces

local raw_resume, next, tostring = coroutine.resume, next, tostring
local unpack = table.unpack or unpack

local MOST = 4000 -- values per call

local spans, n = {}, 0 -- entity, frame, what, start, end, how it ended, number of the mail or 0
local puts, m = {}, 0 -- operation, time
local mail, mails = 0, 0 -- the piece that is being read, and how many were read
local originals = {}


-- What a task is called: its event or hook, or where its function stands.
local function label(task)
  local callback = task.callback
  if callback then
    return tostring(callback.name)
  elseif task.instant then
    return task.instant
  end
  return task.maker and "task " .. fault.place(task.maker, task.made_at) or "task"
end


local function note(task, what, started, before, ...)
  local ok, token = ...
  local outcome = not ok and "failed" or token == scheduler.SUSPEND and "waits" or "done"
  spans[n + 1], spans[n + 2], spans[n + 3], spans[n + 4] = task.entity.id, clock.frame, what, started
  spans[n + 5], spans[n + 6], spans[n + 7] = trace.now(), outcome, before
  n = n + 7
  return ...
end


local function resume(thread, ...)
  local task, before = scheduler.current, mail
  if not task then
    return raw_resume(thread, ...)
  end
  mail = 0 -- only the task that the mail woke is its own doing
  return note(task, label(task), trace.now(), before, raw_resume(thread, ...))
end


local function timed_encode(value, out, at, limits, word)
  puts[m + 1], puts[m + 2] = out[at - 6], trace.now()
  local shape, last = encode(value, out, at, limits, word)
  if shape then
    m = m + 2
  end
  return shape, last
end


local function numbered(read)
  return function(box, i)
    mails = mails + 1
    mail = mails
    local after = read(box, i)
    mail = 0
    return after
  end
end


function trace.start()
  for _, file in next, prelude.files.readers do
    local _ = prelude[file]
  end
  for kind, read in next, receive do
    originals[kind] = read
  end
  for kind, read in next, originals do
    receive[kind] = numbered(read)
  end
  bus.take_event = numbered(take_event)
  scheduler.resume_with(resume)
  outbox.encode_with(timed_encode)
end


function trace.stop()
  for kind, read in next, originals do
    receive[kind] = read
  end
  bus.take_event = take_event
  scheduler.resume_with(raw_resume)
  outbox.encode_with(encode)
  spans, n, puts, m, mail, mails = {}, 0, {}, 0, 0, 0
end


-- How many values are left after these, and the values.
local function part(list, count, from)
  local to = count - from + 1 > MOST and from + MOST - 1 or count
  return count - to, unpack(list, from, to)
end


--- The spans from place `from` on.
function trace.spans(from)
  return part(spans, n, from)
end


--- The operations with a payload, and when they were put.
function trace.puts(from)
  return part(puts, m, from)
end


--- Forget what was taken.
function trace.clear()
  spans, n, puts, m, mails = {}, 0, {}, 0, 0
end


return trace
