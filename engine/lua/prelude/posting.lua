-- What scripts tell the world, put into the outbox: payloads, and what counts against a limit.
-- Guarantee: a refused payload leaves nothing behind, and its error blames the script's line.

local prelude = ...
local turns, payload = prelude.turns, prelude.later("payload")

-- The outbox is this table too, with more in it.
local outbox = prelude.tray

local select, error, format = select, error, string.format
local weigh = outbox.weigh


-- Loads the encoder with the first payload.
local function encode(...)
  encode = payload.encode
  return encode(...)
end


--- Why nothing more of a script is put in this tick.
local function full()
  return format("more than %.0f bytes are to be told to the world in one tick, the limit (Limits.outbox); "
    .. "tell it less, wait() in between, or raise the limit", outbox.most)
end
outbox.full = full


-- Who asks how much there is gets to know of all that comes before: what is calm may have something to say first.
local function stand_still()
  local stir = turns.stir
  if stir then
    stir()
  end
  if outbox.tray[1] then
    outbox.shut()
  end
end


--- An error at the script's line when an operation with these values would be more than a tick may put; `word` names
-- the function called. What follows it, `put`, asks nothing: what the engine itself has to say is always said.
function outbox.check(word, level, ...)
  local most = outbox.most
  stand_still()
  if most and outbox.weight + weigh({ ... }, 1, select("#", ...)) > most then
    error(word .. ": " .. full(), level + 1)
  end
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


--- How much has been put; with `cut`, takes back what was put since.
function outbox.mark()
  stand_still()
  return outbox.n
end


function outbox.cut(mark)
  outbox.n = mark
end


return outbox
