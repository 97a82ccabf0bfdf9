-- `bus.request` and `bus.handle`: asking one entity, and answering.
-- Guarantee: who asks gets an answer or an error, once, whatever becomes of the one who was asked.

local prelude = ...
local scheduler, outbox, bus, fault = prelude.scheduler, prelude.posting, prelude.bus, prelude.fault
local suspension, decode = prelude.suspension, prelude.reading.decode
local checks, request_of = prelude.checks, prelude.waiting.request_of
local check_name, check_id, post = bus.common.check_name, prelude.checks.check_id, bus.common.post

local error, type, format, cut, getinfo = error, type, string.format, string.sub, debug.getinfo
local put, put_payload = outbox.put, outbox.put_payload

local LONGEST, SHORT = 2000, 200 -- bytes of why there is no answer, and where the state has told too much already

local requests = {}

local receive = bus.receive
local pending, last_token = {}, 0


--- Ask one entity and wait for its answer; an error after `timeout` seconds, and where nobody can answer.
function requests.request(id, name, value, timeout)
  check_id("bus.request", id, 2)
  check_name("bus.request", name, 2)
  if timeout ~= nil then
    checks.check_seconds("bus.request", timeout, 2)
  end
  suspension.check_can_wait("bus.request", 2)
  local me = scheduler.current
  last_token = last_token + 1
  local token = last_token
  post("bus.request", "request", name, id, token, value)
  pending[token] = me
  local function forget()
    pending[token] = nil
    put("forget", me.entity.id, token)
  end
  me.abandon = forget
  local ok, reply = suspension.suspend("bus.request", 2, timeout and request_of(timeout) or nil)
  me.abandon = nil
  if pending[token] then
    forget()
    error(format("bus.request: entity %d did not answer %q within %g s", id, name, timeout), 2)
  elseif not ok then
    error("bus.request: " .. reply, 2)
  end
  return reply
end


-- "scripts/door.lua:12" where a function begins, or nothing for an object that can be called.
local function place_of(fn)
  return type(fn) == "function" and fault.place(fn, getinfo(fn, "S").linedefined) or nil
end


-- Two handlers of one name are most often a mistake, of which nothing else would tell: the first is never called again.
local function warn_of_second(entity, before)
  local place, line = fault.caller(5)
  put("log", entity.id, "warn", format("bus.handle: entity %d answers %q already; from here on this handler does, and that of "
    .. "%s no more. Give one of them another name, if both are to answer", entity.id, before.name,
    place_of(before.fn) or "before"), place or entity.script, line)
end


--- Answer requests of this name with what `fn(event)` returns. The newest handler of a name counts, and the first to take
--- the place of another is a line in the log.
function requests.handle(name, fn)
  check_name("bus.handle", name, 2)
  checks.check_function("bus.handle", fn, 2)
  local entity = scheduler.current.entity
  local before = entity.answers[name]
  if before and not before.second then
    warn_of_second(entity, before)
  end
  entity.answers[name] = { fn = fn, name = name, answers = true, failures = 0, second = before and true }
end


-- Tells who asked that there is no answer, and why: also where there is no room left for what scripts tell.
local function refuse(id, sender, token, why)
  if put_payload("reply", id, sender, token, "error", cut(why, 1, LONGEST)) then
    put("reply", id, sender, token, "error", ".", cut(why, 1, SHORT))
  end
end


-- A request: entity, name, sender, token of the asker, shape, leaves.
function receive.request(box, i)
  local id, name, sender, token = box[i], box[i + 1], box[i + 2], box[i + 3]
  local value, after = decode(box[i + 4], box, i + 5)
  local entity = bus.entities[id]
  local answer = entity and entity.answers[name]
  if not answer then
    put("reply", id, sender, token, "none", "_")
    return after
  elseif answer.paused then
    local why = format("it failed %d times in a row and is paused until its script reloads", answer.failures)
    refuse(id, sender, token, why)
    return after
  end
  local event = { name = name, payload = value, sender = sender or nil }
  local function respond()
    local reason = put_payload("reply", id, sender, token, "ok", answer.fn(event), "reply")
    if reason then
      local place = place_of(answer.fn)
      error((place and place .. ": " or "") .. "bus.handle: " .. reason, 0)
    end
  end
  local function failed(ok, problem)
    if not ok and not entity.leaving then -- that it ended, the world tells
      refuse(id, sender, token, fault.told(problem))
    end
  end
  suspension.run_watched(entity, answer, failed, respond)
  return after
end


-- The answer to a request.
receive.reply = suspension.answers_for(pending)


return requests
