-- What a stop, or an error of Lua's own library, says, and which line of the script it blames.

local prelude = ...
local budget, fault = prelude.budget, prelude.fault

local collect, getinfo = collectgarbage, debug.getinfo
local error, next, pcall, type = error, next, pcall, type
local find, format, gsub = string.find, string.format, string.gsub

local blame = {}


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


--- "scripts/door.lua:3: " of the script that runs, or that ran in `thread` when it died.
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
blame.place = place


--- The same for a stop: where the running thread is a coroutine in which no script is left, of the task around it.
function blame.striking()
  local where = place()
  local task = where == "" and prelude.turns.current
  return task and place(task.thread) or where
end


--- The same when nothing runs: where the oldest task waits, of the first entity that has one, or where its hook begins.
function blame.waiting()
  local list = prelude.entity.list
  for i = 1, #list do
    local oldest
    for task in next, list[i].tasks do
      oldest = oldest and oldest.number < task.number and oldest or task
    end
    local hook = list[i].hooks.update or list[i].hooks.start
    local info = not oldest and hook and getinfo(hook.fn, "S")
    local where = oldest and place(oldest.thread) or info and format("%s:%d: ", info.short_src, info.linedefined) or ""
    if where ~= "" then
      return where
    end
  end
  return ""
end


local SAID = {
  instructions = function()
    return format("stopped after %s instructions in one tick, the limit (Limits.instructions); is there a loop without "
      .. "a wait()? Spread long work over frames, or raise the limit", grouped(budget.instructions))
  end,
  seconds = function()
    return format("stopped after %g seconds in one tick, the limit (Limits.seconds); single steps of the script take very "
      .. "long, for instance on big strings. Work on smaller pieces, or raise the limit", budget.seconds)
  end,
  memory = function()
    return format("the state needs more than %s, the limit (Limits.memory); keep less at a time, or raise the limit",
      mebibytes(budget.memory))
  end,
  garbage = function()
    return format("stopped after all garbage was collected %d times in one tick to stay within %s, the limit "
      .. "(Limits.memory); keep less at a time, or raise the limit", prelude.overruns.MOST_COLLECTIONS,
      mebibytes(budget.memory))
  end,
}


--- What is said of a stop for this reason: "instructions", "seconds", "memory" or "garbage".
function blame.said(reason)
  return SAID[reason]()
end


--- What is said of a task that died for lack of memory.
function blame.no_memory(task, value)
  return place(task.thread) .. format("%s: the state would need more than %s, the limit (Limits.memory); keep less at a "
    .. "time, or raise the limit", value, mebibytes(budget.memory))
end


--- Why a value of so many bytes may not be made, or nil.
function blame.refuses(bytes)
  local kibibytes = budget.memory
  if bytes > 4096 and collect("count") + bytes / 1024 > kibibytes then
    collect("collect")
    if collect("count") + bytes / 1024 > kibibytes then
      return format("%s more bytes would take the state over its memory of %s, the limit (Limits.memory); keep less at a "
        .. "time, or raise the limit", grouped(bytes), mebibytes(kibibytes))
    end
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
  prelude.overruns.pass(nil, problem)
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
function blame.own(name, fn, ...)
  return relabel(name, pcall(fn, ...))
end


return blame
