-- `tween`: moves number fields of a table to new values over time.
-- Guarantee: at the end each field has exactly its goal, unless a newer tween of that field took it over.

local prelude = ...
local scheduler, clock, easing, fault = prelude.scheduler, prelude.clock, prelude.easing, prelude.fault
local suspension = prelude.suspension
local check_seconds = prelude.checks.check_seconds

local error, next, type, tostring, setmetatable = error, next, type, tostring, setmetatable
local rawequal, format, concat, sort = rawequal, string.format, table.concat, table.sort

local tween = {}

local MOST_FIELDS = 1000 -- of one tween, which moves them all in one go
local AT_REST = { alpha = 1, scale = 1, angle = 0 } -- what is drawn of an entity that never set these

local running = setmetatable({}, { __mode = "k" }) -- target -> field -> the motion that moves it


local function kind_of(value)
  return value == nil and "nil" or "a " .. type(value)
end


local function curve_of(name)
  if name == nil then
    name = "linear"
  end
  local curve = name
  if type(name) == "string" then
    curve = easing.of(name)
    if not curve then
      error(format("tween: there is no easing %q; there is linear, and in_, out_ or in_out_ before one of %s", name,
        concat(easing.names, ", ")), 3)
    end
  elseif not fault.callable(name) then
    error("tween: easing must be a name or a function, got " .. kind_of(name), 3)
  end
  return curve
end


local function check_number(value, what, field, hint)
  if type(value) ~= "number" or value ~= value then
    error(format("tween: %s.%s must be a number, got %s%s", what, tostring(field),
      type(value) == "number" and "NaN" or kind_of(value), value == nil and hint or ""), 4)
  end
end


-- Where a field is now.
local function start_of(target, field)
  local value = target[field]
  if value == nil and rawequal(target, scheduler.current.entity.self) then
    return AT_REST[field]
  end
  return value
end


-- Where each field starts and ends, in an order that is the same on every run.
local function fields_of(target, goals)
  if type(target) ~= "table" then
    error("tween: expected a table to change, got " .. kind_of(target), 3)
  elseif type(goals) ~= "table" then
    error("tween: expected a table of goals such as { x = 10 }, got " .. kind_of(goals), 3)
  end
  local fields = {}
  for field, goal in next, goals do
    check_number(goal, "goals", field)
    local from = start_of(target, field)
    check_number(from, "target", field, "; give it a value to start from")
    if #fields == MOST_FIELDS then
      error(format("tween: there are more than %d goals; move what they belong to by itself", MOST_FIELDS), 3)
    end
    fields[#fields + 1] = { name = field, from = from, goal = goal }
  end
  sort(fields, function(a, b) return tostring(a.name) < tostring(b.name) end)
  return fields
end


-- Makes `motion` the one that moves these fields.
local function take_over(motion, target, fields)
  local movers = running[target]
  if not movers then
    movers = {}
    running[target] = movers
  end
  for i = 1, #fields do
    local other = movers[fields[i].name]
    if other then
      other.left = other.left - 1
    end
    movers[fields[i].name] = motion
  end
end


-- A tween that has no field left may meet no table here: the one that took them over ended first.
local function let_go(motion, target, fields)
  local movers = running[target] or {}
  for i = 1, #fields do
    if movers[fields[i].name] == motion then
      movers[fields[i].name] = nil
    end
  end
  if next(movers) == nil then
    running[target] = nil
  end
end


local function move(motion, target, fields, share)
  local movers = running[target] or {}
  for i = 1, #fields do
    local field = fields[i]
    if movers[field.name] == motion then
      target[field.name] = share == 1 and field.goal or field.from + (field.goal - field.from) * share
    end
  end
end


--- Move `target`'s fields to `goals` over `seconds`, along `ease` (default "linear"); suspends the task until it is done.
-- Returns true, or false when newer tweens took over every field.
function tween.tween(target, seconds, goals, ease)
  check_seconds("tween", seconds, 2)
  suspension.check_can_wait("tween", 2)
  local curve = curve_of(ease)
  local fields = fields_of(target, goals)
  local motion = { left = #fields }
  take_over(motion, target, fields)
  local me, started = scheduler.current, clock.now
  local function stop()
    let_go(motion, target, fields)
  end
  while motion.left > 0 and clock.now - started < seconds do
    me.abandon = stop
    suspension.suspend("tween", 2, true)
    me.abandon = nil
    local passed = clock.now - started
    local share = passed >= seconds and 1 or curve(passed / seconds)
    if type(share) ~= "number" then
      error("tween: easing must return a number, got " .. kind_of(share), 2)
    end
    move(motion, target, fields, share)
  end
  if seconds == 0 then
    move(motion, target, fields, 1)
  end
  let_go(motion, target, fields)
  return motion.left > 0 or #fields == 0
end


return tween
