-- Tells the world of a field of an entity that has another value.

local prelude = ...
local scheduler, outbox, screen, posting = prelude.scheduler, prelude.outbox, prelude.screen, prelude.later("posting")

local type = type
local OPERATION, tray, HEAD, FIELDS = outbox.OPERATION, outbox.tray, screen.HEAD, screen.FIELDS
local COLOR = #FIELDS
local LONGEST = 64 -- bytes of a string that goes as it is

local telling = {}


local function warn(spot, reason)
  outbox.put("log", spot.me.id, "warn", reason, spot.me.script, 0)
end


--- A field has another value: tell the world. In a tick that has told it too much already, the next one does.
function telling.tell(spot, seen, place, value)
  local kind, id, size = type(value), spot.me.id, 8
  if kind == "string" then
    size = #value
  elseif kind ~= "number" and kind ~= "boolean" and (kind ~= "table" or place ~= COLOR) then
    value = nil -- no table but a colour is kept, so no `__eq` of a script is ever asked here
    if seen[place] == nil then
      return
    end
  end
  if value == nil or kind == "table" or size > LONGEST then
    seen[place] = value
    local reason = posting.put_payload("look", id, place, 0, 0, value, "self." .. FIELDS[place])
    return reason and warn(spot, reason)
  end
  local open = tray[1]
  local stir = not open and scheduler.stir
  if stir then
    stir()
  end
  local list, n, most = open and tray or outbox.list, open and tray[2] or outbox.n, outbox.most
  local weight = outbox.weight + OPERATION + size
  if most and weight > most then
    return warn(spot, posting.full())
  end
  list[n + 1], list[n + 2] = id * 256 + HEAD + place, value
  outbox.weight, seen[place] = weight, value
  if open then
    tray[2] = n + 2
  else
    outbox.n = n + 2
  end
end


return telling
