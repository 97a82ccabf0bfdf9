-- The `shared` library that scripts call: the world's shared data, by key.
-- Guarantee: what is read is a copy.

local prelude = ...
local scheduler, outbox, entity, bus = prelude.scheduler, prelude.posting, prelude.entity, prelude.bus
local decode, check_function = prelude.reading.decode, prelude.checks.check_function

local error, type, format = error, type, string.format

local SMALL = 1024 -- bytes of a value that is not worth a question

local shared = {}


local function check_key(word, key)
  if type(key) ~= "string" then
    error(format("%s: the key must be a string, got %s", word, key == nil and "nil" or "a " .. type(key)), 3)
  elseif #key > bus.LONGEST_NAME then
    error(format("%s: the key has %d bytes, %d at most; what is long belongs into the value", word, #key,
      bus.LONGEST_NAME), 3)
  end
end


--- A copy of the shared value: what this script set in this tick, else what the world had at the start of the round.
function shared.get(key)
  check_key("shared.get", key)
  local written = entity.written
  if not entity.ask and not (written and written[key]) then
    error("shared.get: this state has no world, so no shared data", 2)
  end
  local box = written and written[key] or { entity.ask("shared", scheduler.current.entity.id, key) }
  return (decode(box[2], box, 3))
end


local known = {} -- keys that this state has set


-- Where there are too many shared values, or they are too big together, one is refused here, where the script's line is
-- known. `size` is in bytes.
local function check_room(key, value, size)
  if value == nil then
    known[key] = nil
  elseif entity.ask and (not known[key] or size > SMALL) then
    local ok, reason = entity.ask("room", scheduler.current.entity.id, key, size)
    if not ok then
      return reason
    end
    known[key] = true
  end
end


--- Set the shared value; nil removes it. Others see it from the next round on.
function shared.set(key, value)
  check_key("shared.set", key)
  local n, before = outbox.mark(), outbox.weight
  local reason = outbox.put_payload("set", scheduler.current.entity.id, key, 0, 0, value, "shared." .. key)
  if not reason then
    reason = check_room(key, value, outbox.weight - before)
    if reason then
      outbox.cut(n)
    end
  end
  if reason then
    error("shared.set: " .. reason, 2)
  end
  local box = { true }
  for i = n + 7, outbox.mark() do
    box[i - n - 5] = outbox.list[i]
  end
  local written = entity.written or {}
  entity.written, written[key] = written, box
end


--- Call `fn(event)` when the value has changed: at most once per frame, `event.payload` is the last value.
function shared.watch(key, fn)
  check_key("shared.watch", key)
  check_function("shared.watch", fn, 2)
  return bus.subscribe_watch(key, fn)
end


function shared.library()
  return prelude.files.pick(shared, { "get", "set", "watch" })
end


return shared
