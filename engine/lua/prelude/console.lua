-- Runs what a person types, as a task of an entity. What comes out goes to the log.

local prelude = ...
local scheduler, bus, outbox = prelude.scheduler, prelude.mail, prelude.outbox

local console = {}

local error, load, next, select, setmetatable = error, load, next, select, setmetatable
local sort, tostring, type = table.sort, tostring, type
local concat, format = table.concat, string.format

local FIELDS = 40 -- of a table that is shown
local DEPTH = 3


-- One line for any value; looks at tables as they are, without running a metamethod.
local function show(value, depth)
  local kind = type(value)
  if kind == "string" then
    return format("%q", value)
  elseif kind ~= "table" then
    return (kind == "function" or kind == "thread") and "a " .. kind or tostring(value)
  elseif depth == 0 then
    return "{...}"
  end
  local parts, names = {}, {}
  for i = 1, #value do
    parts[i] = show(value[i], depth - 1)
  end
  for key, field in next, value do
    if type(key) ~= "number" or key < 1 or key > #value or key % 1 ~= 0 then
      names[#names + 1] = (type(key) == "string" and key or "[" .. tostring(key) .. "]") .. " = " .. show(field, depth - 1)
    end
  end
  sort(names)
  for i = 1, #names do
    parts[#parts + 1] = names[i]
  end
  if #parts > FIELDS then
    parts[FIELDS], parts[FIELDS + 1] = "...", nil
  end
  return "{" .. concat(parts, ", ", 1, #parts > FIELDS and FIELDS or #parts) .. "}"
end


local function tell(me, chunk, ...)
  local parts = {}
  for i = 1, select("#", ...) do
    parts[i] = show((select(i, ...)), DEPTH)
  end
  if #parts > 0 then
    outbox.put("log", me.id, "info", concat(parts, "\t"), chunk, 1)
  end
end


-- What is typed sees `self` beside the globals of the script.
local function environment(me)
  return setmetatable({ self = me.self }, { __index = me.env, __newindex = me.env, __metatable = false })
end


-- A chunk: entity, name, text. An expression tells its value.
function bus.receive.typed(box, i)
  local me, chunk, text = bus.entities[box[i]], box[i + 1], box[i + 2]
  if me then
    local env = environment(me)
    local skipped = 2
    local fn, problem = load("return nil, " .. text, "=" .. chunk, "t", env) -- no tail call: it would hide the line
    if not fn then
      skipped = 1
      fn, problem = load(text, "=" .. chunk, "t", env)
    end
    local stage = { name = chunk, failures = 0 }
    scheduler.run(me, stage, function()
      if not fn then
        error(problem, 0)
      end
      tell(me, chunk, select(skipped, fn()))
    end)
  end
  return i + 3
end


return console
