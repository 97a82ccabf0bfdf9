-- Stops a script that uses more than its share: instructions and seconds of one tick, memory of the state.
-- Guarantee: a stop ends the task that runs and nothing else. No `pcall`, handler or `__close` of a script outlives it, and
-- it never strikes inside the prelude, so the engine's own tables are always whole.
--
-- PUC Lua counts instructions per coroutine, so every new thread gets the hook. While a thread is being stopped its hook
-- runs on every instruction. An error that leaves a hook leaves the thread's hooks off, so a thread that was stopped
-- is never closed: its `__close` could not be stopped again.

local prelude = ...
local fault, outbox_of = prelude.later("fault"), function() return prelude.outbox end

local sethook, getinfo = debug.sethook, debug.getinfo
local collect, clock, time = collectgarbage, os.clock, os.time
local error, next, pcall, setmetatable, type = error, next, pcall, setmetatable, type
local find, format, gsub = string.find, string.format, string.gsub
local running, raw_close = coroutine.running, coroutine.close

local STEP = 1000 -- instructions between two looks
local TRUSTED = "=?" -- the source of the prelude, whose bytecode has no names; `load` gives it to nobody else
local FAILURE = 500 -- instructions that a failure costs: the engine works for it, and no hook sees that
local MOST_OVERFLOWS = 50 -- that a thread may catch
local MOST_STOPS = 8 -- of a tick, until what has not had its turn waits for the next frame
local MOST_COLLECTIONS = 10 -- that a tick may need to stay within its memory; each takes as long as the state is big
local NO_MEMORY = "not enough memory"

local budget = {
  active = false,
  fresh = false, -- nothing has been spent since `begin`, which need not be called again
  kibibytes = 1 / 0, -- of the state, at most
  exhausted = false, -- this tick has had what it may have; what can wait for the next frame does
  HALTED = "halted", -- `exhausted` when so much was stopped that nothing else is begun in this tick, no clean-up either
  stopping = false, -- the message of the stop that is under way
  killed = setmetatable({}, { __mode = "k" }), -- threads that must not be closed
  begin = nil, -- called at the start of a tick, where there are limits
  finish = nil, -- called at its end
}

local instructions, seconds, kibibytes = 1 / 0, 1 / 0, 1 / 0
local spent, allowance = 0, 1 / 0
local started, second, patience = nil, 0, 1 / 0
local stops, collections = 0, 0 -- of this tick
local pending = nil -- why the next instruction of a script must not run
local overflows = setmetatable({}, { __mode = "k" }) -- thread -> how often it came to the end of the C stack
local urgent = setmetatable({}, { __mode = "k" }) -- threads whose hook runs on every instruction


local function grouped(number)
  local text, n = format("%.0f", number), 1
  while n > 0 do
    text, n = gsub(text, "^(-?%d+)(%d%d%d)", "%1,%2")
  end
  return text
end


local function mebibytes(kib)
  return format("%.4g MiB", kib / 1024)
end


-- "scripts/door.lua:3: " of the script that runs, or that ran in `thread` when it died.
local function place(thread)
  for level = thread and 0 or 2, 40 do
    local info = thread and getinfo(thread, level, "Sl") or not thread and getinfo(level, "Sl")
    if not info then
      break
    elseif info.what ~= "C" and info.currentline > 0 and not fault.is_ours(info.short_src) then
      return format("%s:%d: ", info.short_src, info.currentline)
    end
  end
  return ""
end


budget.place = place


local SAID = {
  instructions = function()
    return format("stopped after %s instructions in one tick, the limit (Limits.instructions); is there a loop without "
      .. "a wait()? Spread long work over frames, or raise the limit", grouped(instructions))
  end,
  seconds = function()
    return format("stopped after %g seconds in one tick, the limit (Limits.seconds); single steps of the script take very "
      .. "long, for instance on big strings. Work on smaller pieces, or raise the limit", seconds)
  end,
  memory = function()
    return format("the state needs more than %s, the limit (Limits.memory); keep less at a time, or raise the limit",
      mebibytes(kibibytes))
  end,
  garbage = function()
    return format("stopped after all garbage was collected %d times in one tick to stay within %s, the limit "
      .. "(Limits.memory); keep less at a time, or raise the limit", MOST_COLLECTIONS, mebibytes(kibibytes))
  end,
}


-- Has the hook of the running thread look at every instruction; setting a hook goes over the whole stack.
local function hurry()
  local thread = running()
  if not urgent[thread] then
    sethook(thread, budget.hook, "", 1)
    urgent[thread] = true
  end
  return thread
end


-- Marks the running thread as one that dies, and raises.
local function strike(reason)
  budget.killed[hurry()] = true
  if not budget.stopping then
    budget.stopping = place() .. SAID[reason]()
    pending = nil
  end
  error(budget.stopping, 0)
end


-- Strikes, unless the prelude runs, whose work is short and must not be left half done. Called by the hook itself:
-- level 3 is the function that was interrupted.
local function trip(reason)
  pending = reason
  local info = getinfo(3, "S")
  if info and info.source == TRUSTED then
    hurry()
  else
    strike(reason)
  end
end


local function too_long()
  local now = time()
  if not started then
    started, second = clock(), now
  elseif now ~= second or patience < seconds then
    second = now
    return clock() - started > patience
  end
  return false
end


-- True when the state needs more than its memory, after all garbage is gone.
local function too_big()
  collections = collections + 1
  if collect("count") > kibibytes then
    collect("collect")
    if collect("count") > kibibytes then
      return true
    end
  end
  return false
end


-- Before anything is counted: the next tick has to begin anew.
local function spend()
  budget.fresh = false
  local turns = prelude.turns
  local stir = turns.stir
  if stir then
    stir()
  end
end


function budget.hook()
  spend()
  if pending or budget.stopping then
    trip(pending or "instructions")
    return
  end
  local thread = next(urgent) and running()
  if thread and urgent[thread] then
    urgent[thread] = nil
    sethook(thread, budget.hook, "", STEP)
  end
  spent = spent + STEP
  if spent > allowance then
    trip("instructions")
  elseif collect("count") > kibibytes and (too_big() or collections > MOST_COLLECTIONS) then
    trip(collections > MOST_COLLECTIONS and collect("count") <= kibibytes and "garbage" or "memory")
  elseif too_long() then
    trip("seconds")
  end
end


--- Count work of a library function that no hook sees; only where the caller's tables are whole.
function budget.charge(units)
  if not budget.active then
    return
  end
  spend()
  spent = spent + units
  if spent > allowance or budget.stopping then
    strike("instructions")
  end
end


--- What is left of this tick's instructions.
function budget.left()
  return allowance - spent
end


--- Stop the running task if the state is over its memory; before anything of Python enters.
function budget.check_memory()
  if collect("count") > kibibytes and too_big() then
    strike("memory")
  end
end


--- Why a value of so many bytes may not be made, or nil.
function budget.refuses(bytes)
  if bytes > 4096 and collect("count") + bytes / 1024 > kibibytes then
    collect("collect")
    if collect("count") + bytes / 1024 > kibibytes then
      return format("%s more bytes would take the state over its memory of %s, the limit (Limits.memory)", grouped(bytes),
        mebibytes(kibibytes))
    end
  end
end


--- What `pcall` and its like must not give back to a script; `thread` is one that has just died with `message`.
function budget.pass(thread, message)
  if budget.stopping then
    error(budget.stopping, 0)
  elseif message == NO_MEMORY and budget.active then
    if thread then
      budget.killed[thread] = true
    end
    budget.charge(instructions / MOST_OVERFLOWS)
  elseif budget.active and type(message) == "string" and find(message, "stack overflow", 1, true) then
    -- A `pcall` that catches this goes on with a fresh C stack, ever deeper, and unwinding takes the square of the depth.
    local me = running()
    overflows[me] = (overflows[me] or 0) + 1
    budget.charge(overflows[me] > MOST_OVERFLOWS and 1 / 0 or instructions / MOST_OVERFLOWS)
  end
end


-- What a failure costs. Before Lua says that there is no memory it collects all garbage, and the stack overflows late.
local function price(value)
  local costly = value == NO_MEMORY or type(value) == "string" and find(value, "stack overflow", 1, true)
  return costly and instructions < 1 / 0 and instructions / MOST_OVERFLOWS or FAILURE
end


--- What a task's failure is called. The stop that ended it is over; the tasks after it share half of what it had.
function budget.explain(task, value)
  local stopped = budget.stopping
  spend()
  if budget.active then
    spent = spent + price(value)
    budget.exhausted = budget.exhausted or spent > allowance
  end
  if stopped then
    budget.stopping, pending = false, nil
    spent, allowance = 0, allowance / 2
    started, patience = nil, patience / 2
    stops = stops + 1
    if stops == MOST_STOPS then
      budget.exhausted = budget.HALTED
      prelude.turns.postpone()
    end
    outbox_of().put("stopped", task.entity.id)
    return stopped
  elseif value == NO_MEMORY and budget.active then
    budget.killed[task.thread] = true
    return place(task.thread) .. format("%s: the state would need more than %s, the limit (Limits.memory); keep less at a "
      .. "time, or raise the limit", NO_MEMORY, mebibytes(kibibytes))
  end
  return value
end


--- Close `thread`, unless it was stopped; returns what its clean-ups raised when they were stopped in turn.
function budget.close(thread)
  if raw_close and not budget.killed[thread] then
    local ok, failure = pcall(raw_close, thread)
    if budget.stopping then
      budget.killed[thread] = true
      return budget.stopping
    end
    return not ok and fault.describe(failure) or nil
  end
end


-- How errors of the library begin, which Lua gives the place of the function that called it: here, one of the prelude.
local OF_LIBRARY = {
  "^bad argument #%d+ to '", "^malformed pattern ", "^invalid ", "^missing '%[' ", "^unfinished capture", "^too many ",
  "^pattern too complex", "^initial position ", "^wrong number of ", "^array too big", "^position ", "^resulting string ",
}

local function relabel(name, ok, ...)
  if ok then
    return ...
  end
  local problem = ...
  budget.pass(nil, problem)
  if type(problem) == "string" then
    for i = 1, #OF_LIBRARY do
      if find(problem, OF_LIBRARY[i]) then
        problem = place() .. gsub(problem, "^(bad argument #%d+ to )'[^']*'", "%1'" .. name .. "'")
        break
      end
    end
  end
  error(problem, 0)
end


--- Call Lua's own `fn`, called `name`, such that its errors blame the script.
function budget.own(name, fn, ...)
  return relabel(name, pcall(fn, ...))
end


local function begin()
  budget.exhausted, budget.fresh = false, true
  spent, allowance, pending, stops, collections = 0, instructions, nil, 0, 0
  started, patience = nil, seconds
end


-- At the end of a tick: true when the state is still too big, so that the world has to close it.
local function finish()
  return collect("count") > kibibytes and too_big()
end


--- What is said of a state that is closed.
function budget.over_memory()
  return SAID.memory()
end


--- Watch every thread from now on. Seconds are of processor time, memory is in bytes; nil is no limit.
function budget.start(most_instructions, most_seconds, most_memory)
  instructions, seconds = most_instructions or 1 / 0, most_seconds or 1 / 0
  kibibytes = (most_memory or 1 / 0) / 1024
  budget.kibibytes = kibibytes
  begin()
  budget.active, budget.begin, budget.finish = true, begin, finish
  local hook = budget.hook
  prelude.records.on_thread = function(thread)
    -- A thread that ends before its first look would be free.
    spend()
    spent = spent + STEP / 10
    if spent > allowance then
      pending = pending or "instructions"
      urgent[thread] = true
    end
    sethook(thread, hook, "", urgent[thread] and 1 or STEP)
  end
end


return budget
