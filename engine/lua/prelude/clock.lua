-- The clock of one state, set by the pump at the start of every tick.
-- Guarantee: `now`, `dt` and `frame` do not change while scripts run.

local clock = { now = 0.0, dt = 0.0, frame = 0 }


return clock
