-- What a calm state does with the tray, into which its commands and fields go, and what weighs them.

local prelude = ...

-- The outbox is this table too, with more in it.
local outbox = prelude.outbox

local type, floor = type, math.floor
local tray, OPERATION = outbox.tray, outbox.OPERATION


-- Bytes that an operation counts with the values from place `from` on: those of strings, and 8 for each of the others.
local function weigh(list, from, last)
  local weight = OPERATION
  for i = from, last do
    local value = list[i]
    weight = weight + (type(value) == "string" and #value or 8)
  end
  return weight
end
outbox.weigh = weigh


--- Let commands and fields of the entity with this `id` go into the tray, as long as nobody puts anything else. The
-- outbox is empty.
function outbox.unlock(id)
  tray[1], tray[2] = id * 256, 2
end


--- Weigh what is in the tray, and put it into the outbox; what comes after it is weighed again.
function outbox.shut()
  if not tray[1] then
    return
  end
  local list, at, n, weight = outbox.list, 3, tray[2], 0
  while at <= n do
    local last = at + floor(tray[at] / 32) % 8
    weight, at = weight + weigh(tray, at + 1, last), last + 1
  end
  for i = 3, n do
    list[i - 2] = tray[i]
  end
  outbox.n, outbox.weight, tray[1], tray[2] = n - 2, weight, false, 2
end


return outbox
