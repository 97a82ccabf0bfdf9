-- Looks at the events of a state that sends many in one tick: refuses what is too much, and tells the world the lines they
-- come from, for the problem of a mailbox that they fill. The first few of a tick go without, and cost nothing.

local prelude = ...
local scheduler, outbox, bus, fault = prelude.scheduler, prelude.outbox, prelude.bus, prelude.fault

local error, getinfo, format = error, debug.getinfo, string.format

local crowd = {}

local noted_fn, noted_line, noted_for -- where the world believes that events come from


-- Tells the world about the line of level `level`, unless it knows; one that is no script's is not told.
local function tell(level, first)
  local info = getinfo(level + 1, "fl")
  local fn, at, me = info and info.func, info and info.currentline, scheduler.current.entity.id
  if first or noted_for ~= me or noted_line ~= at or noted_fn ~= fn then
    noted_fn, noted_line, noted_for = fn, at, me
    local source, line = fault.caller()
    outbox.put("at", me, source or "", line)
  end
end


--- Note that event number `events` of this tick comes from the script three levels up; an error there where it is too much.
function crowd.note(word, name, events)
  if events > bus.most_events then
    error(format("%s: %q would be event %d of this state in one tick, the limit is %d (Limits.mailbox); "
      .. "send fewer, wait() in between, or raise the limit", word, name, events, bus.most_events), 4)
  end
  tell(4, events == bus.few + 1)
end


return crowd
