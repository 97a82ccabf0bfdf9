-- Starts an entity of a new version before the data of the old one is known, where that makes no difference.
-- Guarantee: once the data is there, all is as if it had started then. Where that is in doubt there is an error, and the
-- world takes another state: this one is of no use any more.

local prelude = ...
local scheduler, entity, mail, clock = prelude.scheduler, prelude.entity, prelude.mail, prelude.clock
local reload, snapshots, payload = prelude.reload, prelude.snapshots, prelude.payload
local watched, standing, several = prelude.watched, prelude.standing, prelude.several

local error, next, rawset, raw_resume, huge = error, next, rawset, coroutine.resume, math.huge
local receive, by_id, leave, as_number = mail.receive, mail.entities, prelude.pump.leave, prelude.screen.as_number

local early = {
  take = nil, -- takes the data of one that has started early
}

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
    raw_resume(task.thread, nothing, nil, 0)
    hook.beat = task
  end
end


-- Has the records of timers, and the queue, room for what they will note when these begin. One that is alone stays in the
-- queue without a time: that comes with the data.
local function ready_timers(timers)
  for n = 1, #timers do
    local made = timers[n][1]
    made.since, made.state = 0, "waiting"
    several.sleep_until(made, huge)
    if #timers > 1 then
      several.take_out(made)
      scheduler.pending = false
    end
  end
end


local function set_of(keys)
  local set = {}
  for i = 1, #keys do
    set[keys[i]] = true
  end
  return set
end


-- The keys whose values come with the data, in its order: false for those that `start` has set. `self` has room for them
-- from here on: a field that is set to nil leaves its place. Also, whether it is a place and nothing that a window shows.
local function keys_to_fill(keys, written, self)
  local left, places, shows = {}, 0, false
  for i = 1, #keys do
    local key = keys[i]
    left[i] = not written[key] and key
    if left[i] then
      places = places + ((key == "x" or key == "y") and 1 or 0)
      shows = shows or SHOWN[key]
      self[key] = true
    end
  end
  for i = 1, #left do
    if left[i] then
      self[left[i]] = nil
    end
  end
  return left, places == 2 and not shows
end


-- Its timers begin now.
local function begin_timers(timers)
  for n = 1, #timers do
    local made = timers[n][1]
    if made.list then
      several.take_out(made)
    end
    prelude.task.begin(made, timers[n][2])
  end
end


-- What takes the data of the only entity, of the shape that it started early for: the leaves. It gives what a tick with mail
-- does, and touches little beside its own locals, as in a thousand states nearly all would be out of the cache.
local function taker(me, keys, timers, moves)
  local self, spot, hooked = me.self, entity.only, entity.hooked
  local seconds = #timers == 1 and timers[1][2]
  local timer = seconds and timers[1][1]
  return function(now, dt, frame, ...)
    local clock, leaves = clock, { ... } -- luacheck: ignore 431
    clock.now, clock.dt, clock.frame = now, dt, frame
    for place = 1, #keys do
      local key = keys[place]
      if key then
        rawset(self, key, leaves[place]) -- the state may be calm, where that is no news
      end
    end
    local due = timer and now + seconds
    if due and now < due and due < huge then
      timer.since, timer.due = now, due
    else
      begin_timers(timers)
    end
    me.began = nil
    local x, y = self.x, self.y
    if not moves or as_number(x) ~= x or as_number(y) ~= y then
      scheduler.rouse()
      return leave(-1)
    end
    spot.x, spot.y = x, y
    return hooked or scheduler.wake_time(), x, y
  end
end


--- Start a loaded entity before there is data: id, and of the version before the names of its properties and a shape of
-- its data. An error where that makes a difference.
function receive.early(box, i)
  local me, names, shape = by_id[box[i]], box[i + 1], box[i + 2]
  local keys = snapshots.learn(shape)
  local began = { shape = shape, written = {}, missing = {}, timers = {} }
  if not keys or me.hooks.on_reload or names ~= snapshots.names_of(me) then
    error(DOUBT)
  end
  reload.renew(me)
  if not watched.run(me, set_of(keys), began) then
    error(DOUBT)
  end
  ready_beat(me)
  ready_timers(began.timers)
  local left, moves = keys_to_fill(keys, began.written, me.self)
  me.began, early.take = began, taker(me, left, began.timers, moves)
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


--- Data of any shape for one that has started early: id, shape, leaves.
function receive.catch_up(box, i)
  local me = by_id[box[i]]
  local fields, after = payload.decode(box[i + 1], box, i + 2)
  fill(me.self, me.began, fields)
  begin_timers(me.began.timers)
  me.began = nil
  return after
end


return early
