-- Host modules: Python functions that a script gets with `require`.
-- Guarantee: only plain data crosses. A function among the arguments crosses as the key of a handle; what Python calls
-- back runs as a task of the entity that passed it. A call that suspends ends once: answered, or given up with its task.
--
--   a call is    argc, argument*, (number of the argument, field, key)*    the triples are functions in a table
--   argument     shape, number of leaves, leaves...  or  true, key         of the handle of a function

local prelude = ...
local scheduler, outbox, payload, bus = prelude.scheduler, prelude.posting, prelude.payload, prelude.mail
local entity, handles, fault = prelude.entity, prelude.handles, prelude.fault
local suspension = prelude.suspension

local error, type, next, select, getmetatable = error, type, next, select, debug.getmetatable
local raw_yield, format = coroutine.yield, string.format
local unpack = table.unpack or unpack
local encode, decode, put = payload.encode, payload.decode, outbox.put

local SUSPEND, REFUSED = prelude.records.SUSPEND, prelude.records.REFUSED

local host = {}
local receive = bus.receive

local FEW = 8 -- arguments that are picked out one by one
local PART = 4000 -- values per crossing: LuaJIT's C stack has room for 8,000

local waiting, last_token = {}, 0 -- token -> task


-- A table's functions are told apart from its data: a copy without them, and where they stood.
local function split(value, number, functions)
  local copy
  for key, field in next, value do
    if type(field) == "function" and (type(key) == "string" or type(key) == "number") then
      if not copy then
        copy = {}
        for name, item in next, value do
          copy[name] = item
        end
      end
      copy[key] = nil
      functions[#functions + 1] = { number = number, field = key, fn = field }
    end
  end
  return copy or value
end


-- What is already a leaf, as most arguments are; nil where there is more to do.
local function append_leaf(spec, list, n, value)
  local kind = type(value)
  if kind == "number" or kind == "boolean" or kind == "string" and #value <= spec.limits.bytes then
    list[n + 1], list[n + 2], list[n + 3] = ".", 1, value
    return n + 3
  end
end


local function append_function(functions, list, n, fn)
  functions[#functions + 1] = { at = n + 2, fn = fn }
  list[n + 1], list[n + 2] = true, 0
  return n + 2
end


-- Kept only when all else is there: an argument that is refused must leave nothing behind.
local function keep_all(functions, list, n)
  for i = 1, #functions do
    local found = functions[i]
    local key = handles.keep(found.fn, scheduler.current.entity.id)
    found.key = key
    if found.at then
      list[found.at] = key
    else
      list[n + 1], list[n + 2], list[n + 3] = found.number, found.field, key
      n = n + 3
    end
  end
  return n
end


-- Appends the arguments of a call to `list` after place `n`; the new `n` and the functions among them, or nil and why one
-- is refused.
local function append(spec, list, n, ...)
  local count = select("#", ...)
  local values = count > FEW and { ... }
  local functions
  list[n + 1] = count
  n = n + 1
  for number = 1, count do
    local value = values and values[number]
    if not values then
      value = select(number, ...)
    end
    local last = append_leaf(spec, list, n, value)
    if not last then
      functions = functions or {}
      if type(value) == "function" then
        last = append_function(functions, list, n, value)
      else
        if type(value) == "table" and not getmetatable(value) then
          value = split(value, number, functions)
        end
        local shape
        shape, last = encode(value, list, n + 2, spec.limits, "argument " .. number)
        if not shape then
          return nil, last
        end
        list[n + 1], list[n + 2] = shape, last - n - 2
      end
    end
    n = last
  end
  return functions and keep_all(functions, list, n) or n, functions
end


local function ask(me, list, n)
  local from = 1
  while n - from >= PART do
    entity.ask("part", me, unpack(list, from, from + PART - 1))
    from = from + PART
  end
  return { entity.ask("call", me, unpack(list, from, n)) }
end


local function collect(me, box)
  local have, total = #box - 3, box[3]
  while have < total do
    local part = { entity.ask("rest", me) }
    for i = 2, #part do
      box[#box + 1] = part[i]
    end
    have = have + #part - 1
  end
  return (decode(box[2], box, 4))
end


-- A direct function: answered before it returns.
local function call_now(spec, ...)
  local task = scheduler.current
  local me = task.entity.id
  local list = { spec.module, spec.name }
  local n, reason = append(spec, list, 2, ...)
  if not n then
    error(spec.word .. ": " .. reason, 2)
  end
  local box = ask(me, list, n)
  if not box[1] then
    error(box[2], 2)
  end
  return collect(me, box)
end


-- What `outbox.put` does, with the arguments of the call behind its values. Nil and why, where one is refused.
local function put_call(spec, me, token, ...)
  scheduler.rouse()
  local list, n = outbox.list, outbox.n
  list[n + 1], list[n + 2], list[n + 3] = "call", me, 0
  list[n + 4], list[n + 5], list[n + 6] = token, spec.module, spec.name
  local last, more = append(spec, list, n + 6, ...)
  if not last then
    return nil, more
  end
  local reason = outbox.commit(n, last)
  for i = 1, reason and more and #more or 0 do
    handles.release(more[i].key)
  end
  return not reason, reason
end


-- A coroutine or a blocking function: the task suspends until the answer comes.
local function call_later(spec, ...)
  suspension.check_can_wait(spec.word, 2)
  local me = scheduler.current
  local token = last_token + 1
  local ok, value = put_call(spec, me.entity.id, token, ...)
  if not ok then
    error(spec.word .. ": " .. value, 2)
  end
  last_token, waiting[token] = token, me
  local function give_up()
    waiting[token] = nil
    put("uncall", me.entity.id, token)
  end
  me.abandon = give_up
  ok, value = raw_yield(SUSPEND)
  me.abandon = nil
  if waiting[token] then
    give_up()
    if ok == REFUSED then
      suspension.refuse(spec.word, 2, value)
    end
    error(spec.word .. ": the task was resumed by somebody else while it waited", 2)
  elseif not ok then
    error(value, 2)
  end
  return value
end


local function proxy(spec, call)
  return function(...)
    return call(spec, ...)
  end
end


--- The table of a host module: true, "host", the bytes of a payload, then name and kind of each function.
function host.open(module, box)
  local made = {}
  local limits = { bytes = box[3], depth = outbox.limits.depth }
  for i = 4, #box, 2 do
    local name = box[i]
    local spec = { module = module, name = name, word = format("%s.%s", module, name), limits = limits }
    made[name] = proxy(spec, box[i + 1] == "function" and call_now or call_later)
  end
  return made
end


-- The answer to a call.
receive.result = suspension.answers_for(waiting)


-- Python calls back: entity, key of the handle, what it is called, shape of the list of arguments, leaves. The list has
-- `n` and the arguments that are not nil.
function receive.callback(box, i)
  local me, key = bus.entities[box[i]], box[i + 1]
  local fn = handles.value(key)
  handles.release(key)
  local args, after = decode(box[i + 3], box, i + 4)
  if me and fault.callable(fn) then
    scheduler.run(me, { name = box[i + 2], failures = 0 }, fn, unpack(args, 1, args.n))
  end
  return after
end


return host
