-- Runs the `start` of an entity that has no data yet, and finds out whether that could make a difference.
-- Guarantee: where nothing is in doubt, the start has ended, looked neither at the data nor at the time, and left nothing
-- behind that waits, but what `task.every` calls, which has not begun.
--
-- Meanwhile `self` has no field that is carried over, so its metatable is asked for each. What could look past that is a
-- function that is given `self`, one of C or, on LuaJIT, where loops over `next` call nothing, any: a hook sees all that
-- are called. The clock shows no time, and new threads are counted.

local prelude = ...
local scheduler, records, entity = prelude.scheduler, prelude.records, prelude.entity
local clock = prelude.clock

local rawequal, rawget, rawset, setmetatable = rawequal, rawget, rawset, setmetatable
local gethook, sethook, getinfo, getlocal = debug.gethook, debug.sethook, debug.getinfo, debug.getlocal
local get_class, set_class = debug.getmetatable, debug.setmetatable
local jit = jit

local GIVEN_TO_C = "(C temporary)" -- how PUC Lua names what it gives to a function of C

local watched = {}

local doubt -- somebody looked, or did something that cannot be done early
local threads -- made meanwhile
local timers -- tasks of `task.every` and their seconds, in order
local waiting -- the same by their threads, which nobody may touch before they begin


-- A metatable for `self` that notes which fields are written, and which are found missing; those of `carried` are in doubt.
local function veil(class, carried, began)
  local script, written, missing = class.__index, began.written, began.missing
  local own = {}
  function own.__index(_, key)
    if carried[key] and not written[key] then
      doubt = true
    end
    missing[key] = true
    return script[key]
  end
  function own.__newindex(self, key, value)
    own.inside = true -- `rawset` is given `self`
    rawset(self, key, value)
    own.inside, written[key] = false, true
  end
  own.__metatable = false
  return own
end


-- Runs `start(self)` with a hook that looks at what each function is given. The hook of the limits goes on beside it, and
-- may set another one in its place.
local function run_watched(start, self, own)
  local known = { [start] = true, [own.__index] = true, [own.__newindex] = true }
  local counted, mask, count = gethook()
  local look
  local function watch()
    sethook(look, "c", counted and count or 0)
  end
  function look(event)
    if event == "count" then
      sethook(counted, mask, count)
      counted()
      counted, mask, count = gethook()
      return watch()
    elseif own.inside or doubt then
      return
    end
    local i, name, value = 1, getlocal(2, 1)
    if not name or not (jit or timers[1] or name == GIVEN_TO_C) then
      return
    end
    repeat
      if rawequal(value, self) or waiting[value] then
        local info = getinfo(2, "Suf")
        local given = info.what == "C" or i <= info.nparams and (jit or waiting[value])
        doubt = doubt or given and not known[info.func]
      end
      i = i + 1
      name, value = getlocal(2, i)
    until not name
  end
  watch()
  start(self)
  sethook(counted, mask or "", count or 0)
end


-- Calls `start` behind the veil, on the thread of a task of its own.
local function begin(me, carried, began)
  local self, hook = me.self, me.hooks.start
  entity.enlist(me)
  doubt = doubt or records.workers.n > 0 -- a thread that could run something unseen
  if hook then
    local class = get_class(self)
    local own = veil(class, carried, began)
    set_class(self, own)
    run_watched(hook.fn, self, own)
    set_class(self, class)
  end
end


-- Runs `fn` while the clock shows no time. A look at it, or a new thread that is none of a timer, is in doubt.
local function without_time(fn)
  local now, dt, on_thread = clock.now, clock.dt, records.on_thread
  local time = prelude.face
  local function ask(_, key)
    doubt = true
    return key == "now" and now or key == "dt" and dt or rawget(clock, key)
  end
  clock.now, clock.dt = nil, nil
  setmetatable(clock, { __index = ask })
  time.__index = ask
  function records.on_thread(thread)
    threads = threads + 1
    if on_thread then
      on_thread(thread)
    end
  end
  fn()
  records.on_thread = on_thread
  setmetatable(clock, nil)
  clock.now, clock.dt, time.__index = now, dt, clock
end


--- Run the `start` of an entity while it has none of the `carried` fields. Notes in `began` what it wrote, what it found
-- missing, and its timers. True where nothing is in doubt; else the state is of no use any more.
function watched.run(me, carried, began)
  local ended = false
  doubt, threads, timers, waiting = false, 0, began.timers, {}
  function scheduler.put_off(task, seconds)
    timers[#timers + 1], waiting[task.thread] = { task, seconds }, true
  end
  if jit then
    jit.off()
  end
  without_time(function()
    scheduler.run(me, { name = "start", failures = 0 }, function()
      begin(me, carried, began)
      ended = true
    end)
  end)
  if jit then
    jit.on()
  end
  scheduler.put_off = nil
  return ended and not doubt and threads == #timers and scheduler.deferrals == 0
end


return watched
