-- Hears events: ticks with one event, for states of which many hear the same.
-- Guarantee: what a handler can see and do is the same as with `pump.deliver`.
--
-- A hundred states hear an event one after the other, so what one of them touches has left the cache: every table, key,
-- closure and thread less counts. The usual event is like the one before: the same subscription and shape, a handler that
-- ends at once, and an entity that stays where it is. As long as that is so the state is `calm`, as in `body.lua`: what
-- such a tick needs is in locals, and whoever does anything else calls `scheduler.stir` first.

local prelude = ...
local scheduler, clock, outbox, budget = prelude.scheduler, prelude.clock, prelude.outbox, prelude.budget
local bus, entity, records, pump = prelude.mail, prelude.entity, prelude.records, prelude.pump

local rawget, raw_resume, yield, used = rawget, coroutine.resume, coroutine.yield, collectgarbage
local unpack = table.unpack or unpack
local DONE, settle, take_upcoming = records.DONE, scheduler.settle, scheduler.take_upcoming
local hire_ear = prelude.standing.hire_ear
local reading, spelling, watch = prelude.reading, prelude.later("spelling"), prelude.watch
local subscriptions, makers = bus.subscriptions, reading.makers
local select, gsub, get_class = select, string.gsub, debug.getmetatable

local LOOK = 32 -- calm events between two looks at the memory; what can come with so many is far less than its head-room
local MOST_KINDS = 128 -- that are remembered
local SUBSCRIPTIONS = 65536 -- from number 0, that an event in brief can tell

local hearing = {}

local kinds, count = {}, 0 -- number -> name, and what makes the payload


local function read_kind(name, shape, ...)
  local fixed = {}
  for i = 1, select("#", ...), 2 do
    local place, text = select(i, ...)
    fixed[place + 1] = '"' .. gsub(text, "[^A-Za-z0-9_]", spelling.escape) .. '"'
  end
  return { name = name, make = shape == "_" and makers._ or reading.maker_for(shape, fixed) }
end


-- What the world sends by number: the name, shape and texts of an event.
local function kind_of(number)
  local kind = kinds[number]
  if not kind then
    if count == MOST_KINDS then
      kinds, count = {}, 0
    end
    kind = read_kind(select(2, entity.ask("kind", 0, number)))
    kinds[number], count = kind, count + 1
  end
  return kind
end


-- What the phase of an event in brief tells: its kind, and the number of its subscription.
local function read_phase(phase)
  local number = -3 - phase
  local id = number % SUBSCRIPTIONS
  return kind_of((number - id) / SUBSCRIPTIONS), id
end


-- True where nothing of the only entity has changed that the world would have to know.
local function unchanged(spot, self)
  return rawget(self, "x") == spot.x and rawget(self, "y") == spot.y and rawget(self, "sprite") == nil
    and rawget(self, "text") == nil and rawget(self, "light") == nil
end


-- The entity's place, where an event made nothing happen that the world would have to know; else nil.
local function place_of_quiet(phase)
  local spot = phase == -1 and outbox.n == 0 and scheduler.deferrals == 0 and entity.plain
  if spot and not spot.shown and unchanged(spot, spot.self)
    and not (budget.begin and used("count") > budget.memory) then
    return spot
  end
end


-- A handler of `sub` has run in `ear`, which comes back if it is free for the next.
local function settle_ear(ear, sub, ok, token, request)
  if token == DONE and ear.state == "running" and not ear.marked then
    scheduler.current, ear.callback, sub.failures = nil, nil, 0
    if scheduler.ran then
      scheduler.mark(sub.entity)
    end
    return ear
  end
  settle(ear, nil, ok, token, request)
end


local function given(values)
  return unpack(values, 1, 24)
end


-- What is heard of this phase, id, key, sender, shape and leaves: its subscription, what makes the payload, and the event,
-- which is nothing where the shape is seldom heard.
local function read(phase, id, key, sender, shape, ...)
  if phase < -2 then
    local kind, number = read_phase(phase)
    return subscriptions[number], kind.make, {
      name = kind.name, payload = kind.make(key, sender, shape, ...), sender = id or nil,
    }
  end
  local make = makers[shape]
  return subscriptions[id], make, make and { name = key, payload = make(...), sender = sender or nil }
end


-- Begins a tick that is not calm.
local function begin(phase)
  local rouse = scheduler.stir -- of `listen`, or of the body of the pump
  if rouse then
    rouse()
  end
  if budget.begin and not budget.fresh then
    budget.begin()
  end
  if phase >= 0 then
    take_upcoming()
  end
end


--- Ticks with one event of at most 16 leaves, for ever: the number of its subscription, name, sender and shape; or in
-- brief only its sender, where the phase, below -2, tells the subscription and the kind. The first is given, the others
-- come for what is yielded: what any tick gives, or nil where nobody here wakes at another time than before.
function hearing.listen(...)
  -- What a calm event needs stands together, in four cache lines of the stack.
  local clock, raw_resume, DONE, answer, what = clock, raw_resume, DONE, given, { ... } -- luacheck: ignore 431
  local calm, inside = false, false -- and whether a handler runs now
  local known, known_name, short, placed, left, thread, fn, make -- `known` is the phase
  local ear, sub, self, x, y, known_id, known_shape, brief, kibibytes -- `ear` is a task that hears events

  local function renew() -- the limits have looked at this tick: the next must begin anew
    left = -1
  end

  local function stir()
    if calm then
      calm, scheduler.stir, budget.renew, fn, self = false, nil, nil, nil, nil
      watch.stop()
      if not inside then
        scheduler.current, ear.callback, ear.entity, sub = nil, nil, nil, nil
      end
    end
  end

  while true do
    local now, dt, frame, phase, id, key, sender, shape, a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p = answer(what)
    clock.now, clock.dt, clock.frame = now, dt, frame
    if calm and phase == known and (short or brief or id == known_id and key == known_name and shape == known_shape) then
      local event
      if short then
        event = { name = known_name, payload = make(key, sender, shape, a, b, c, d, e), sender = id or nil }
      elseif not brief then
        event = { name = key, payload = make(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p), sender = sender or nil }
      else
        event = {
          name = known_name, payload = make(key, sender, shape, a, b, c, d, e, f, g, h, i, j, k, l, m), sender = id or nil,
        }
      end
      inside = true
      local ok, token, request = raw_resume(thread, fn, event)
      if not calm or token ~= DONE then
        stir()
        ear = settle_ear(ear, sub, ok, token, request)
        answer, what = pump.end_tick, -1
      end
      inside = false
      if calm then
        left = left - 1
        if left < 0 and used("count") <= kibibytes then
          if left < -1 then
            budget.begin()
          end
          left = LOOK
        end
        if left >= 0 and (not placed or rawget(self, "x") == x and rawget(self, "y") == y) then
          what = nil -- as before: who goes to sleep stirs
        else
          stir()
          answer, what = pump.end_tick, -1
        end
      end
    else
      begin(phase)
      brief, known = phase < -2, phase
      local event
      sub, make, event = read(phase, id, key, sender, shape, a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p)
      fn = event and sub and sub.often
      if fn then
        ear = ear or hire_ear()
        ear.entity, ear.callback, scheduler.current = sub.entity, sub, ear
        known_name = event.name
        ear = settle_ear(ear, sub, raw_resume(ear.thread, fn, event))
      elseif not event then
        bus.take_event({ id, key, sender, shape, a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p }, 1)
      elseif sub then
        prelude.bus.hear(sub, event)
      end
      local spot = place_of_quiet(brief and -1 or phase)
      if not spot then
        answer, what = pump.end_tick, brief and -1 or phase
      else
        answer, what = yield, scheduler.single and true or scheduler.pending and scheduler.wake_time()
        if fn and ear and sub.often and not scheduler.single then
          if budget.begin then
            budget.begin()
          end
          calm, thread, self, x, y = true, ear.thread, spot.self, spot.x, spot.y
          known_id, known_shape, short, placed = id, shape, brief and f == nil, x ~= nil or y ~= nil
          kibibytes, left = budget.begin and budget.memory or 1 / 0, LOOK
          scheduler.stir, budget.renew, scheduler.current, ear.callback = stir, renew, ear, sub
          local class = get_class(self)
          watch.class, watch.script, class.__newindex = class, nil, watch.note
        end
      end
    end
  end
end


-- LuaJIT compiles no loop that resumes or yields, and it would try again and again, in each state.
if jit then
  jit.off(hearing.listen)
end


--- The body of what hears events.
function hearing.body()
  return hearing.listen(yield(true))
end


return hearing
