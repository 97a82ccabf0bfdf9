-- Starts an entity of a new version before the data of the old one is known, where that makes no difference: its `start`
-- has ended, looked neither at that data nor at the time, and left nothing behind that waits, but what `task.every` calls.
-- Guarantee: once the data is there, all is as if it had started then. Where that is in doubt there is an error, and the
-- world takes another state: this one is of no use any more.
--
-- While `start` runs, `self` has no field that is carried over, so its metatable is asked for each. What could look past
-- that is a function that is given `self`, one of C or, on LuaJIT, where loops over `next` call nothing, any: a hook sees
-- all that are called.

local prelude = ...
local scheduler, records, entity, mail = prelude.scheduler, prelude.records, prelude.entity, prelude.mail
local reload, payload, clock = prelude.reload, prelude.payload, prelude.clock
local sandbox = prelude.sandbox

local error, next, rawequal, rawget, rawset, setmetatable, type = error, next, rawequal, rawget, rawset, setmetatable, type
local gethook, sethook, getinfo, getlocal = debug.gethook, debug.sethook, debug.getinfo, debug.getlocal
local get_class, set_class = debug.getmetatable, debug.setmetatable
local jit = jit
local standing, raw_resume = prelude.standing, coroutine.resume
local receive, by_id, leave = mail.receive, mail.entities, prelude.pump.leave

local GIVEN_TO_C = "(C temporary)" -- how PUC Lua names what it gives to a function of C
local DOUBT = "the start depends on when it runs"
local SHOWN = {} -- the fields that a window shows, besides the place
for _, name in next, prelude.screen.FIELDS do
  SHOWN[name] = true
end

local doubt -- somebody looked, or did something that cannot be done early
local threads -- made meanwhile
local timers -- tasks of `task.every` and their seconds, in order; they begin when the data is there
local waiting -- the same by their threads, which nobody may touch before


local function nothing()
end


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
  local time = rawget(prelude, "time") and get_class(sandbox.libraries.time)
  local function ask(_, key)
    doubt = true
    return key == "now" and now or key == "dt" and dt or rawget(clock, key)
  end
  clock.now, clock.dt = nil, nil
  setmetatable(clock, { __index = ask })
  if time then
    time.__index = ask
  end
  function records.on_thread(thread)
    threads = threads + 1
    if on_thread then
      on_thread(thread)
    end
  end
  fn()
  records.on_thread = on_thread
  setmetatable(clock, nil)
  clock.now, clock.dt = now, dt
  if time then
    time.__index = clock
  elseif rawget(prelude, "time") then
    doubt = true
  end
end


-- Has the thread of an `update` hook stand as after a call that went well: the first one is in a frame that has much to do.
local function ready_beat(me)
  local hook = entity.beat
  if hook then
    local task = standing.hire_beat(me, hook)
    raw_resume(task.thread, nothing, nil, 0, task)
    hook.beat = task
  end
end


-- Has the records of timers, and the queue, room for what they will note when these begin.
local function ready_timers()
  for n = 1, #timers do
    local made = timers[n][1]
    made.since = 0
    scheduler.sleep_until(made, 1)
    scheduler.take_out(made)
  end
  scheduler.pending = false
end


-- The fields that will be carried over, if they are those of this shape.
local function fields_of(keys)
  local carried = {}
  for i = 1, keys and #keys or 0 do
    carried[keys[i]] = true
  end
  return carried
end


-- The keys whose values come with the data, in its order: false for those that `start` has set. `self` has room for them
-- from here on: a field that is set to nil leaves its place. Also, whether a window shows any of them.
local function keys_to_fill(keys, written, self)
  local left, shows = {}, false
  for i = 1, #keys do
    local key = keys[i]
    left[i] = not written[key] and key
    if left[i] then
      shows = shows or SHOWN[key]
      self[key] = true
    end
  end
  for i = 1, #left do
    if left[i] then
      self[left[i]] = nil
    end
  end
  return left, shows
end


--- Start a loaded entity before there is data: id, and of the version before the names of its properties and a shape of
-- its data. An error where that makes a difference.
function receive.early(box, i)
  local me, names, shape = by_id[box[i]], box[i + 1], box[i + 2]
  local keys = reload.keys(shape)
  local carried = fields_of(keys)
  local began = { shape = shape, written = {}, missing = {}, timers = {}, keys = nil, shows = nil }
  doubt, threads, timers, waiting = not keys or me.hooks.on_reload or names ~= reload.names_of(me), 0, began.timers, {}
  function scheduler.put_off(task, seconds)
    timers[#timers + 1], waiting[task.thread] = { task, seconds }, true
  end
  local ended = false
  reload.renew(me)
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
  if doubt or not ended or threads ~= #timers or scheduler.deferrals > 0 then
    error(DOUBT)
  end
  ready_beat(me)
  ready_timers()
  began.keys, began.shows = keys_to_fill(keys, began.written, me.self)
  me.began = began
  return i + 3
end


-- Gives `self` the fields that `start` did not set; an error where it has missed one of them.
local function fill(self, began, fields)
  for key, value in next, fields do
    if began.missing[key] then
      error(DOUBT)
    elseif not began.written[key] then
      self[key] = value
    end
  end
end


-- Its timers begin now.
local function begin_timers(me, list)
  for n = 1, #list do
    prelude.task.begin(list[n][1], list[n][2])
  end
  me.began = nil
end


--- Data of any shape for one that has started early: id, shape, leaves.
function receive.catch_up(box, i)
  local me = by_id[box[i]]
  local fields, after = payload.decode(box[i + 1], box, i + 2)
  fill(me.self, me.began, fields)
  begin_timers(me, me.began.timers)
  return after
end


return {
  --- Data for the only entity here, of the shape that it started early for: the leaves. Gives what a tick with mail does, and
  -- touches less than one.
  catch_up = function(now, dt, frame, ...)
    local me = entity.only.me
    local self, keys, began = me.self, me.began.keys, me.began
    clock.now, clock.dt, clock.frame = now, dt, frame
    local leaves = { ... }
    for place = 1, #keys do
      local key = keys[place]
      if key then
        self[key] = leaves[place]
      end
    end
    begin_timers(me, began.timers)
    local x, y = rawget(self, "x"), rawget(self, "y")
    if began.shows or type(x) ~= "number" or type(y) ~= "number" then
      return leave(-1)
    end
    local spot = entity.only
    spot.x, spot.y = x, y
    return entity.hooked or scheduler.wake_time(), x, y
  end,
}
