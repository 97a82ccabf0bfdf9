-- Calls of Lua functions by Python: each runs as a task of its entity that may not wait.
-- Guarantee: a failure is an answer, and a result that is refused leaves nothing behind.

local prelude = ...
local payload, scheduler, outbox, fault = prelude.payload, prelude.scheduler, prelude.outbox, prelude.fault
local handles, kept, budget = prelude.handles, prelude.kept, prelude.budget

local calls = {}

local type, select, load, format = type, select, load, string.format
local getinfo, unpack = debug.getinfo, table.unpack or unpack
local values, keep, owner = kept.values, kept.keep, kept.owner

local RESULTS = 200 -- values that a call may return
local REFUSED = {} -- in place of a list of results


-- The results of a call: for each its leaves' number, shape and leaves; or -1, a function's key, its entity, its place.
local function listed(id, ...)
  local n = select("#", ...)
  if n > RESULTS then
    return REFUSED, format("a call may return at most %d values to Python, got %d", RESULTS, n)
  end
  local list, at, functions = {}, 0, {}
  for i = 1, n do
    local value = select(i, ...)
    if type(value) == "function" then
      local info = getinfo(value, "S")
      functions[#functions + 1] = at + 2
      list[at + 1], list[at + 2], list[at + 3] = -1, value, id
      list[at + 4] = format("%s:%d", info.short_src, info.linedefined)
      at = at + 4
    else
      local word = n > 1 and "result " .. i or "result"
      local shape, last = payload.encode(handles.bare(value), list, at + 2, outbox.limits, word)
      if not shape then
        return REFUSED, last
      end
      list[at + 1], list[at + 2] = last - at - 2, shape
      at = last
    end
  end
  -- Kept only now: a result that is refused must leave nothing behind.
  for i = 1, #functions do
    local place = functions[i]
    list[place] = keep(list[place], id)
  end
  return list, at
end


-- Runs `fn` as a task of `me` that may not wait. Gives an answer; "failed", message and traceback; or "refused" and why.
local function protected(me, what, fn)
  local list, n
  local problem, trace
  scheduler.rouse()
  if budget.begin then
    budget.begin()
  end
  prelude.suspension.call_watched(me, what, function(ok, value, stack, text)
    if not ok then
      problem, trace = text or fault.describe(value), stack or ""
    end
  end, function()
    list, n = listed(me.id, fn())
  end)
  if problem then
    return "failed", problem, trace
  elseif list == REFUSED then
    return "refused", n
  end
  return handles.answer(list, n)
end


local function arguments(...)
  local packed, total = handles.gathered(...)
  local args, n, at = {}, 0, 1
  while at <= total do
    n = n + 1
    if packed[at] == true then
      args[n], at = values[packed[at + 1]], at + 2
      handles.look_at_all(true)
    else
      args[n], at = payload.decode(packed[at], packed, at + 1)
    end
  end
  return args, n
end


--- Call the kept function `key` as its entity, else as the entity `id`. An argument is a shape and its leaves, or true
-- and another key.
function calls.call(key, id, ...)
  local fn, own = values[key], owner(key)
  local me = fn ~= nil and handles.entity_of(own ~= 0 and own or id)
  if not me then
    return handles.GONE
  end
  local args, n = arguments(...)
  return protected(me, "a call from Python", function()
    return fn(unpack(args, 1, n))
  end)
end


--- Run the text of a chunk in the environment of the entity `id`.
function calls.run(id, text, chunk)
  local me = handles.entity_of(id)
  local fn, problem = load(text, "@" .. chunk, "t", me.env)
  if not fn then
    return "failed", problem, ""
  end
  return protected(me, "a chunk run from Python", fn)
end


return calls
