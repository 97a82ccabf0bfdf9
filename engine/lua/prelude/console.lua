-- Runs what a person types, as a task of an entity. What comes out goes to the log.

local prelude = ...
local scheduler, bus, outbox = prelude.scheduler, prelude.mail, prelude.outbox

local console = {}

local error, load, select, setmetatable = error, load, select, setmetatable
local concat = table.concat


local function tell(me, chunk, ...)
  local parts = {}
  for i = 1, select("#", ...) do
    parts[i] = prelude.shown.value((select(i, ...)))
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
