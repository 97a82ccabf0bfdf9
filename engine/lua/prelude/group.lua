-- Structured tasks: `task.group`, `task.all` and `task.race`.
-- Guarantee: they leave only when every child has ended. A child that fails ends the others, and its error goes on in
-- the caller; a caller that is cancelled takes its children with it.

local prelude = ...
local turns, waiting = prelude.turns, prelude.waiting
local checks, suspension, stops = prelude.checks, prelude.suspension, prelude.stops
local nurseries, several = prelude.nurseries, prelude.later("several")
local open, close, bear, leave = nurseries.open, nurseries.close, nurseries.bear, nurseries.leave

local error, type, next, rawget, tostring = error, type, next, rawget, tostring
local format, sort = string.format, table.sort
local unpack, select = table.unpack or unpack, select

local group = {
  awaiter = nil, -- function(value): what waits for a future, nil for anything else; set where there are futures
}

local BODY = {} -- key of the function that `task.group` was given


local function keep_result(nursery, key, ...)
  nursery.results[key] = (...)
end


local function keep_body(nursery, key, ...)
  if key == BODY then
    nursery.results = { n = select("#", ...), ... }
  end
end


-- The first result of a race decides it.
local function decide(nursery, key, ...)
  if not nursery.settled then
    nursery.settled, nursery.value = key, (...)
    close(nursery)
  end
end


local function born_in(nursery, word, fn, level)
  checks.check_function(word, fn, level + 1)
  if nursery.closed then
    error(word .. ": the group has ended", level + 1)
  end
  local child, full = bear(nursery, false, fn, level + 1)
  if not child then
    error(full, level + 1)
  end
  return child
end


-- What the body of a group gets: ways to start children.
local function door_of(nursery)
  local door = {}

  function door.spawn(fn, ...)
    local child = born_in(nursery, "group.spawn", fn, 2)
    several.start(child, ...)
    return child.thread
  end

  function door.defer(fn, ...)
    local child = born_in(nursery, "group.defer", fn, 2)
    suspension.set_aside(child, ...)
    prelude.deferral.defer(child)
    return child.thread
  end

  function door.delay(seconds, fn, ...)
    checks.check_seconds("group.delay", seconds, 2)
    local child = born_in(nursery, "group.delay", fn, 2)
    suspension.set_aside(child, ...)
    local request = waiting.request_of(seconds)
    if request == true then
      turns.next_frame(child)
    else
      several.sleep_until(child, request)
    end
    return child.thread
  end

  function door.cancel()
    close(nursery)
    stops.heed()
  end

  return door
end


--- Run `body(g)`; leave when it and all that `g.spawn` started have ended. Returns what the body returned.
function group.group(body)
  checks.check_function("task.group", body, 2)
  local nursery = open("task.group")
  nursery.ended = keep_body
  local child, full = bear(nursery, BODY, body, 2)
  if not child then
    error(full, 2)
  end
  several.start(child, door_of(nursery))
  leave(nursery)
  return unpack(nursery.results, 1, nursery.results.n or 0)
end


-- The keys of a list of functions: 1 .. n first, then names in alphabetic order.
local function keys_of(list)
  local keys, n = {}, #list
  for i = 1, n do
    keys[i] = i
    if rawget(list, i) == nil then -- is refused, and the rest of a length that a metatable claims would have no end
      n = i
      break
    end
  end
  local names = {}
  for key in next, list do
    if type(key) == "string" then
      names[#names + 1] = key
    end
  end
  sort(names)
  for i = 1, #names do
    keys[n + i] = names[i]
  end
  return keys
end


-- Functions and futures as functions, under their keys.
local function check_list(word, list, level)
  if type(list) ~= "table" then
    error(format("%s: expected a table of functions, got %s", word, list == nil and "nil" or "a " .. type(list)), level + 1)
  end
  local keys, functions = keys_of(list), {}
  for i = 1, #keys do
    local value = rawget(list, keys[i])
    functions[i] = group.awaiter and group.awaiter(value) or value
    checks.check_function(format("%s: entry %s", word, tostring(keys[i])), functions[i], level + 1)
  end
  return keys, functions
end


local function start_each(nursery, keys, functions)
  for i = 1, #keys do
    if nursery.closed then
      return
    end
    local child, full = bear(nursery, keys[i], functions[i], 3)
    if not child then
      nursery.failure = { value = nursery.word .. ": " .. full, trace = "" }
      return close(nursery)
    end
    several.start(child)
  end
end


--- Run all functions side by side; returns a table of their first results, under the same keys.
function group.all(list)
  local keys, functions = check_list("task.all", list, 2)
  local nursery = open("task.all")
  nursery.ended = keep_result
  start_each(nursery, keys, functions)
  leave(nursery)
  if nursery.cancelled then
    error(format("task.all: entry %s was cancelled", tostring(nursery.cancelled)), 2)
  end
  return nursery.results
end


--- Run all functions side by side until the first has ended; cancels the others. Returns its first result and its key.
function group.race(list)
  local keys, functions = check_list("task.race", list, 2)
  if #keys == 0 then
    error("task.race: there is nothing to wait for, the table is empty", 2)
  end
  local nursery = open("task.race")
  nursery.ended = decide
  start_each(nursery, keys, functions)
  leave(nursery)
  if not nursery.settled then
    error("task.race: every entry was cancelled", 2)
  end
  return nursery.value, nursery.settled
end


return group
