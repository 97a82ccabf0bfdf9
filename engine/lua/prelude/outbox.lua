-- Collects what a tick gives to the world: a flat list of (operation, entity id, n, n values).
-- Guarantee: the order of the list is the order of the calls; a refused payload leaves nothing behind.

local prelude = ...
local turns, payload = prelude.turns, prelude.later("payload")

local outbox = {
  list = {}, n = 0, events = 0,
  limits = { bytes = 65536, depth = 32 },
  most = nil, -- bytes that a tick may put; nil is no limit
  weight = 0, -- bytes put so far, as far as they are counted
  failures = 0, -- problems put so far
}

local select, type, error, format = select, type, error, string.format

local OPERATION = 256 -- bytes that an operation counts beside its values: about what Python needs for it
local KEEP = 512 -- a list that grew longer than this is not used again


-- Loads the encoder with the first payload.
local function encode(...)
  encode = payload.encode
  return encode(...)
end


-- Counts the strings among the values from place `from` on, and the operation itself.
local function weigh(list, from, last)
  local weight = outbox.weight + OPERATION
  for i = from, last do
    local value = list[i]
    weight = weight + (type(value) == "string" and #value or 8)
  end
  outbox.weight = weight
end


-- Why nothing more of a script may be put in this tick, or nil.
local function full()
  if outbox.most and outbox.weight > outbox.most then
    return format("more than %.0f bytes are to be told to the world in one tick, the limit (Limits.outbox); "
      .. "tell it less, wait() in between, or raise the limit", outbox.most)
  end
end


--- An error at the script's line when this tick has put as much as it may; `word` names the function called.
function outbox.check(word, level)
  local reason = full()
  if reason then
    error(word .. ": " .. reason, level + 1)
  end
end


--- Add an operation with plain values; numbers, strings and booleans only.
function outbox.put(operation, id, ...)
  local stir = turns.stir
  if stir then
    stir()
  end
  local list, n = outbox.list, outbox.n
  local extra = select("#", ...)
  list[n + 1], list[n + 2], list[n + 3] = operation, id, extra
  for i = 1, extra do
    list[n + 3 + i] = (select(i, ...))
  end
  outbox.n = n + 3 + extra
  if outbox.most then
    weigh(list, n + 4, outbox.n)
  end
end


--- Add an operation with the first `extra` values of a list.
function outbox.put_list(operation, id, values, extra)
  local stir = turns.stir
  if stir then
    stir()
  end
  local list, n = outbox.list, outbox.n
  list[n + 1], list[n + 2], list[n + 3] = operation, id, extra
  for i = 1, extra do
    list[n + 3 + i] = values[i]
  end
  outbox.n = n + 3 + extra
end


--- Add an operation with three plain values and a payload. Returns nothing, or why the payload is refused.
function outbox.put_payload(operation, id, a, b, c, value, root)
  local stir = turns.stir
  if stir then
    stir()
  end
  local list, n = outbox.list, outbox.n
  local most = outbox.most
  if most and outbox.weight > most then
    return full()
  end
  list[n + 1], list[n + 2], list[n + 3], list[n + 4], list[n + 5], list[n + 6] = operation, id, 0, a, b, c
  list[n + 7] = false
  local shape, last = encode(value, list, n + 7, outbox.limits, root)
  if not shape then
    return last
  end
  list[n + 3], list[n + 7] = last - n - 3, shape
  outbox.n = last
  if most then
    weigh(list, n + 4, last)
  end
  return nil
end


--- Encode payloads with `fn` from here on, as a trace does.
function outbox.encode_with(fn)
  encode = fn
end


--- Take what is in the box: the list and its length. The list is the caller's until the next tick.
function outbox.take()
  local list, n = outbox.list, outbox.n
  outbox.n, outbox.events, outbox.weight, outbox.failures = 0, 0, 0, 0
  if n > KEEP then
    outbox.list = {}
  end
  return list, n
end


--- How much has been put; with `cut`, takes back what was put since.
function outbox.mark()
  return outbox.n
end


function outbox.cut(mark)
  outbox.n = mark
end


--- A scalar that may cross as it is; anything else as nil.
function outbox.scalar(value)
  local kind = type(value)
  return (kind == "string" or kind == "number" or kind == "boolean") and value or nil
end


return outbox
