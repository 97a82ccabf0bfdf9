-- Collects what a tick gives to the world: a flat list of (operation, entity id, n, n values).
-- Guarantee: the order of the list is the order of the calls; a refused payload leaves nothing behind.

local prelude = ...
local turns, payload = prelude.turns, prelude.later("payload")

local outbox = {
  list = {}, n = 0, events = 0,
  limits = { bytes = 65536, depth = 32 },
  most = nil, -- bytes that scripts may put in a tick; nil is no limit
  weight = 0, -- bytes put so far, where there is a limit
  mixed = false, -- there is more than commands and fields to show
  open = false, -- 256 times the id of the only entity, while commands and fields call nobody and a few are not weighed
  failures = 0, -- problems put so far
  OPERATION = 256, -- bytes that an operation counts beside its values: about what Python needs for it
}

local select, type, error, format, floor = select, type, error, string.format, math.floor

local OPERATION = outbox.OPERATION
local KEEP = 512 -- a list that grew longer than this is not used again


-- Loads the encoder with the first payload.
local function encode(...)
  encode = payload.encode
  return encode(...)
end


-- Bytes that an operation counts with the values from place `from` on: those of strings, and 8 for each of the others.
local function weigh(list, from, last)
  local weight = OPERATION
  for i = from, last do
    local value = list[i]
    weight = weight + (type(value) == "string" and #value or 8)
  end
  return weight
end


-- Why nothing more of a script is put in this tick.
local function full()
  return format("more than %.0f bytes are to be told to the world in one tick, the limit (Limits.outbox); "
    .. "tell it less, wait() in between, or raise the limit", outbox.most)
end
outbox.full = full


--- An error at the script's line when an operation with these values would be more than a tick may put; `word` names
-- the function called. What follows it, `put`, asks nothing: what the engine itself has to say is always said.
function outbox.check(word, level, ...)
  local most = outbox.most
  if outbox.open then
    outbox.shut()
  end
  if most and outbox.weight + weigh({ ... }, 1, select("#", ...)) > most then
    error(word .. ": " .. full(), level + 1)
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
  outbox.n, outbox.mixed = n + 3 + extra, true
  if outbox.most then
    outbox.weight = outbox.weight + weigh(list, n + 4, n + 3 + extra)
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
  outbox.n, outbox.mixed = n + 3 + extra, true
end


--- Make what was written behind place `n` of the list up to `last` an operation, or say why there is no room for it.
function outbox.commit(n, last)
  local list, most = outbox.list, outbox.most
  if most then
    local weight = outbox.weight + weigh(list, n + 4, last)
    if weight > most then
      return full()
    end
    outbox.weight = weight
  end
  list[n + 3] = last - n - 3
  outbox.n, outbox.mixed = last, true
end


--- Add an operation with three plain values and a payload. Returns nothing, or why the payload is refused.
function outbox.put_payload(operation, id, a, b, c, value, root)
  local stir = turns.stir
  if stir then
    stir()
  end
  local list, n = outbox.list, outbox.n
  list[n + 1], list[n + 2], list[n + 3], list[n + 4], list[n + 5], list[n + 6] = operation, id, 0, a, b, c
  list[n + 7] = false
  local shape, last = encode(value, list, n + 7, outbox.limits, root)
  if not shape then
    return last
  end
  list[n + 7] = shape
  return outbox.commit(n, last)
end


--- Encode payloads with `fn` from here on, as a trace does.
function outbox.encode_with(fn)
  encode = fn
end


--- Weigh what has been put, which are commands and fields only; those after it are weighed again.
function outbox.shut()
  local list, at, n, weight = outbox.list, 1, outbox.n, 0
  while at <= n do
    local last = at + floor(list[at] / 32) % 8
    weight, at = weight + weigh(list, at + 1, last), last + 1
  end
  outbox.open, outbox.weight = false, weight
end


--- Take what is in the box: the list and its length. The list is the caller's until the next tick.
function outbox.take()
  local list, n = outbox.list, outbox.n
  outbox.n, outbox.weight = 0, 0
  if outbox.mixed then
    outbox.mixed, outbox.events, outbox.failures = false, 0, 0
  end
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
