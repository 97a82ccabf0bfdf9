-- Starts an entity of a new version before the data of the old one is known, where that makes no difference.
-- Guarantee: once the data is there, all is as if it had started then. Where that is in doubt there is an error, and the
-- world takes another state: this one is of no use any more.

local prelude = ...
local scheduler, entity, mail, clock = prelude.scheduler, prelude.entity, prelude.mail, prelude.clock
local reload, payload, watched, standing = prelude.reload, prelude.payload, prelude.watched, prelude.standing

local error, next, rawget, type, raw_resume = error, next, rawget, type, coroutine.resume
local receive, by_id, leave = mail.receive, mail.entities, prelude.pump.leave

local DOUBT = "the start depends on when it runs"
local SHOWN = {} -- the fields that a window shows, besides the place
for _, name in next, prelude.screen.FIELDS do
  SHOWN[name] = true
end


local function nothing()
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
local function ready_timers(timers)
  for n = 1, #timers do
    local made = timers[n][1]
    made.since = 0
    scheduler.sleep_until(made, 1)
    scheduler.take_out(made)
  end
  scheduler.pending = false
end


local function set_of(keys)
  local set = {}
  for i = 1, #keys do
    set[keys[i]] = true
  end
  return set
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
  local began = { shape = shape, written = {}, missing = {}, timers = {}, keys = nil, shows = nil }
  if not keys or me.hooks.on_reload or names ~= reload.names_of(me) then
    error(DOUBT)
  end
  reload.renew(me)
  if not watched.run(me, set_of(keys), began) then
    error(DOUBT)
  end
  ready_beat(me)
  ready_timers(began.timers)
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
