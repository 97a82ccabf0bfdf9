-- Collects what a tick gives to the world: a flat list of (operation, entity id, n, n values).
-- Guarantee: the order of the list is the order of the calls; a refused payload leaves nothing behind.

local prelude = ...
local turns = prelude.turns

local outbox = {
  list = { nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil }, -- a birth needs so much room
  n = 0, events = 0,
  limits = { bytes = 65536, depth = 32 },
  most = nil, -- bytes that scripts may put in a tick; nil is no limit
  weight = 0, -- bytes put so far, where there is a limit
  mixed = false, -- there is more than commands and fields to show
  failures = 0, -- problems put so far
  OPERATION = 256, -- bytes that an operation counts beside its values: about what Python needs for it
}

-- While it is open, commands and fields of the only entity go in here: they call nobody, and a few are not weighed. A list,
-- as every name that a tick reads is a cache line more:
-- [1]       256 times the id of the entity; false while it is shut
-- [2]       the place of the last value; 2 while there is none
-- [3] ...   values of operations; with room for some, as what grows later lies on a page of its own
outbox.tray = { false, 2, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil }

local select, type = select, type

local OPERATION = outbox.OPERATION
local KEEP = 512 -- a list that grew longer than this is not used again


--- Add an operation with plain values; numbers, strings and booleans only.
function outbox.put(operation, id, ...)
  local stir = turns.stir
  if stir then
    stir()
  end
  local list, n = outbox.list, outbox.n
  local extra, weight = select("#", ...), OPERATION
  list[n + 1], list[n + 2], list[n + 3] = operation, id, extra
  for i = 1, extra do
    local value = select(i, ...)
    list[n + 3 + i] = value
    weight = weight + (type(value) == "string" and #value or 8)
  end
  outbox.n, outbox.mixed, outbox.weight = n + 3 + extra, true, outbox.weight + weight
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


return outbox
