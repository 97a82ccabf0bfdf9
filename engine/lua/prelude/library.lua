-- Fills the allow-list with what the engine gives to scripts: wait, task, bus, shared, entity, log, time, and the rest.

local prelude = ...
local sandbox, scheduler, outbox = prelude.sandbox, prelude.scheduler, prelude.outbox
local wait = prelude.wait
local clock, task, bus, random, payload = prelude.clock, prelude.task, prelude.bus, prelude.random, prelude.payload
local coroutines, entity = prelude.coroutines, prelude.entity

local error, type, rawequal, tostring, select, setmetatable = error, type, rawequal, tostring, select, setmetatable
local load, next, pcall = load, next, pcall
local concat, format, sub = table.concat, string.format, string.sub

local LONGEST_LINE = 4000

local library = { most_lines = 1 / 0 }

local base, libraries = sandbox.base, sandbox.libraries


local function pick(from, names)
  local made = {}
  for i = 1, #names do
    made[names[i]] = from[names[i]]
  end
  return made
end


-- Functions of a module that is loaded with the first call of one. Tail calls: errors blame the script all the same.
local function later(module, names)
  local made = {}
  for i = 1, #names do
    local name = names[i]
    made[name] = function(...)
      return prelude[module][name](...)
    end
  end
  return made
end


local function add(to, from)
  for name, value in next, from do
    to[name] = value
  end
end


base.wait = wait.wait
base.tween = later("tween", { "tween" }).tween
libraries.coroutine = pick(coroutines, { "create", "resume", "wrap", "yield", "status", "running", "isyieldable", "close" })
libraries.task = pick(task, { "spawn", "defer", "delay", "cancel", "every", "finally", "current", "status" })
add(libraries.task, pick(wait, { "wait", "wait_frames", "wait_until" }))
add(libraries.task, later("group", { "group", "all", "race" }))
libraries.task.wait_event = bus.wait_event
libraries.async = later("async", { "start", "all", "race" })
libraries.bus = pick(bus, { "on", "once", "emit", "send", "request", "handle" })
libraries.entity = entity.library
libraries.time = setmetatable({}, {
  __index = clock,
  __newindex = function(_, key)
    error(format("time.%s cannot be set; the world's clock is set by world.tick and world.time_scale", tostring(key)), 2)
  end,
  __metatable = false,
})


function libraries.math.random(low, high)
  return random.draw(scheduler.current.entity.random, low, high)
end


function libraries.math.randomseed(seed)
  scheduler.current.entity.random = random.new(type(seed) == "number" and seed == seed and seed or 0)
end


-- Counts the lines of a frame; the first one too many is a problem, the others of that frame are dropped.
local function may_log(me)
  local frame = clock.frame
  if me.log_frame ~= frame then
    me.log_frame, me.lines = frame, 0
  end
  me.lines = me.lines + 1
  if me.lines == library.most_lines + 1 then
    scheduler.on_failure(scheduler.current, prelude.budget.place() .. format("log: more than %d lines in one frame, the "
      .. "limit (Limits.log); the rest of this frame is dropped. Log less, or raise the limit", library.most_lines), "")
  end
  return me.lines <= library.most_lines
end


local function log(level, ...)
  local parts = {}
  for i = 1, select("#", ...) do
    parts[i] = tostring((select(i, ...)))
  end
  local me = scheduler.current.entity
  local place, line = prelude.fault.caller()
  local text = concat(parts, "\t")
  if #text > LONGEST_LINE then
    text = sub(text, 1, LONGEST_LINE) .. "..."
  end
  if may_log(me) then
    outbox.put("log", me.id, level, text, place or me.script, line)
  end
end


libraries.log = {}
for _, level in next, { "debug", "info", "warn", "error" } do
  libraries.log[level] = function(...)
    log(level, ...)
  end
end


function base.print(...)
  log("info", ...)
end


-- Commands to whoever shows the game: recorded by the world, carried out by the window if there is one.
local function command(module, name)
  return function(...)
    local n = select("#", ...)
    while n > 0 and select(n, ...) == nil do
      n = n - 1
    end
    local args = { ... }
    for i = 1, n do
      if args[i] == nil then
        error(format("%s.%s: argument %d is nil", module, name, i), 2)
      end
    end
    local reason = outbox.put_payload("command", scheduler.current.entity.id, module, name, 0, args, module .. "." .. name)
    if reason then
      error(reason, 2)
    end
  end
end

local COMMANDS = {
  sprite = { "play", "stop", "flash" },
  sound = { "play", "loop", "stop" },
  camera = { "follow", "move", "shake", "fade" },
  draw = { "text", "rect", "circle", "line", "light", "say" },
}
for module, names in next, COMMANDS do
  libraries[module] = {}
  for i = 1, #names do
    libraries[module][names[i]] = command(module, names[i])
  end
end


local function ask(word, ...)
  local me = scheduler.current.entity
  return entity.ask(word, me.id, ...)
end


function prelude.reading.ask(number)
  return select(2, entity.ask("shape", 0, number))
end


libraries.input = {}


local function check_action(word, name)
  if type(name) ~= "string" then
    error(format("%s: expected the name of an action, got %s", word, name == nil and "nil" or "a " .. type(name)), 3)
  end
end


--- True while the action's key is held.
function libraries.input.down(name)
  check_action("input.down", name)
  return select(2, ask("down", name))
end


--- -1, 0 or 1: which of two actions is held.
function libraries.input.axis(negative, positive)
  check_action("input.axis", negative)
  check_action("input.axis", positive)
  local less, more = select(2, ask("down", negative)), select(2, ask("down", positive))
  return (more and 1 or 0) - (less and 1 or 0)
end


--- Where the pointer is, in the world's units.
function libraries.input.mouse()
  return select(2, ask("mouse"))
end


libraries.shared = {}


local function check_key(word, key)
  if type(key) ~= "string" then
    error(format("%s: the key must be a string, got %s", word, key == nil and "nil" or "a " .. type(key)), 3)
  end
end


--- A copy of the shared value: what this script set in this tick, else what the world had at the start of the round.
function libraries.shared.get(key)
  check_key("shared.get", key)
  local box = entity.written[key] or { ask("shared", key) }
  return (payload.decode(box[2], box, 3))
end


local known = {} -- keys that this state has set


-- Where there are too many shared values, a new one is refused here, where the script's line is known.
local function check_key_room(key, value)
  if value == nil then
    known[key] = nil
  elseif not known[key] and entity.ask then
    local ok, reason = ask("room", key)
    if not ok then
      error("shared.set: " .. reason, 3)
    end
    known[key] = true
  end
end


--- Set the shared value; nil removes it. Others see it from the next round on.
function libraries.shared.set(key, value)
  check_key("shared.set", key)
  check_key_room(key, value)
  local me = scheduler.current.entity
  local n = outbox.mark()
  local reason = outbox.put_payload("set", me.id, key, 0, 0, value, "shared." .. key)
  if reason then
    error("shared.set: " .. reason, 2)
  end
  local box = { true }
  for i = n + 7, outbox.mark() do
    box[i - n - 5] = outbox.list[i]
  end
  entity.written[key] = box
end


--- Call `fn(event)` when the value has changed: at most once per frame, `event.payload` is the last value.
function libraries.shared.watch(key, fn)
  check_key("shared.watch", key)
  wait.check_function("shared.watch", fn, 2)
  return bus.subscribe_watch(key, fn)
end


--- Load a library of the scripts' folder, or a host module; each is loaded once per entity.
function base.require(name)
  if type(name) ~= "string" then
    error("require: expected a name, got " .. (name == nil and "nil" or "a " .. type(name)), 2)
  end
  local me = scheduler.current.entity
  local loaded = me.modules[name]
  if loaded == nil then
    if not entity.ask then
      error("require: this state has no world, so no libraries and no host modules", 2)
    end
    local box = { ask("require", name) }
    if not box[1] then
      error(box[2], 2)
    end
    loaded = box[2] == "host" and library.host(name, box) or library.load(me, name, box[3], box[4])
    me.modules[name] = loaded
  elseif rawequal(loaded, library) then
    error("require: these libraries require each other: " .. library.cycle(me.loading, name), 2)
  end
  return loaded
end


--- "a → b → a": from the first time that `name` is being loaded to the second.
function library.cycle(loading, name)
  local from = 1
  while loading[from] ~= name do
    from = from + 1
  end
  return concat(loading, " → ", from) .. " → " .. name
end


--- The value of a library's text; `true` where it returns nothing.
function library.load(me, name, chunk, text)
  local fn, problem = load(text, "@" .. chunk, "t", me.env)
  if not fn then
    error(problem, 0)
  end
  local loading = me.loading or {}
  me.loading = loading
  loading[#loading + 1] = name
  me.modules[name] = library
  local ok, result = pcall(fn, name)
  me.modules[name] = nil
  loading[#loading] = nil
  if not ok then
    error(result, 0)
  end
  return result == nil and true or result
end


return library
