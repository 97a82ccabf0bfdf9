-- What scripts write into the log: each line with the script and line it comes from.

local prelude = ...
local scheduler, outbox, clock, fault = prelude.scheduler, prelude.outbox, prelude.clock, prelude.fault
local library = prelude.library

local error, tostring, select, next, type = error, tostring, select, next, type
local rawget, getmetatable = rawget, debug.getmetatable
local concat, format, sub = table.concat, string.format, string.sub

local LONGEST_LINE = 4000
local FEW = 64 -- values that are worth no count
local LEVELS = { "debug", "info", "warn", "error" }

local log = {}


-- Counts the lines of a frame; the first one too many is a problem, the others of that frame are dropped.
local function may_log(me)
  local frame = clock.frame
  if me.log_frame ~= frame then
    me.log_frame, me.lines = frame, 0
  end
  me.lines = me.lines + 1
  if me.lines == library.most_lines + 1 then
    prelude.failures.on_failure(scheduler.current, prelude.blame.place() .. format("log: more than %d lines in one frame, the "
      .. "limit (Limits.log); the rest of this frame is dropped. Log less, or raise the limit", library.most_lines), "")
  end
  return me.lines <= library.most_lines
end


-- Tables with what is in them: where they lie helps nobody, and is another place on every run.
local function text_of(value)
  local meta = type(value) == "table" and (getmetatable(value) or {})
  if meta and rawget(meta, "__tostring") == nil and rawget(meta, "__name") == nil then
    return prelude.shown.value(value)
  end
  local text = tostring(value)
  if type(text) == "number" then -- as of `__tostring`: LuaJIT takes what that gives, whatever it is
    text = tostring(text)
  elseif type(text) ~= "string" then
    error("'__tostring' must return a string", 0)
  end
  return text
end


local function write(level, ...)
  local n, parts, length = select("#", ...), {}, 0
  if n > FEW then
    prelude.charging.charge(n)
  end
  local values = { ... }
  for i = 1, n do
    local part = text_of(values[i])
    parts[i], length = part, length + #part + 1
    if length > LONGEST_LINE + 1 then
      break
    end
  end
  local me = scheduler.current.entity
  local place, line = fault.caller()
  local text = concat(parts, "\t")
  if #text > LONGEST_LINE then
    text = sub(text, 1, LONGEST_LINE) .. "..."
  end
  if may_log(me) then
    prelude.posting.check("log", 3, level, text, place or me.script, line)
    outbox.put("log", me.id, level, text, place or me.script, line)
  end
end


function log.print(...)
  write("info", ...)
end


function log.library()
  local made = {}
  for _, level in next, LEVELS do
    made[level] = function(...)
      write(level, ...)
    end
  end
  return made
end


return log
