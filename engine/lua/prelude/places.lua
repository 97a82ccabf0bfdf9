-- Where the entities of a state with many are, and which of them have to be looked at after a tick.
-- Guarantee: who did not run is not looked at, and whoever moved is told in the tick in which that happened. A tick
-- leaves no garbage: what nobody clears is written again.
--
-- Only an entity's own tasks reach its `self`, so the scheduler notes whose tasks ran. Python reaches it too, and can give
-- it to another entity; from then on all are looked at.

local prelude = ...
local scheduler, entity = prelude.scheduler, prelude.entity

local rawget, type = rawget, type

local ran = { n = 0, all = true } -- slots of who ran since the last look; or all of them are to be looked at
local selves, spots, ids, shown = {}, {}, {}, {} -- by slot
local at = {} -- the place that the world knows of slot n: x at 2n - 1, y at 2n
local told = { "places", 0, 0 } -- an operation for the world: id, x, y of each that moved
local free, vacant, last = {}, 0, 0

local places = { told = told }

scheduler.note_in(ran)


--- Look at this entity from now on.
function places.join(me)
  local slot = last + 1
  if vacant > 0 then
    slot, vacant = free[vacant], vacant - 1
  else
    last = slot
  end
  local spot = me.spot
  me.slot = slot
  selves[slot], spots[slot], ids[slot], shown[slot] = spot.self, spot, me.id, spot.shown
  at[2 * slot - 1], at[2 * slot] = spot.x or false, spot.y or false
  scheduler.mark(me)
end


function places.leave(me)
  local slot = me.slot
  if slot > 0 then
    vacant = vacant + 1
    free[vacant], me.slot = slot, 0
    selves[slot], spots[slot] = false, false
  end
end


--- Note that the tasks of these entities run.
function places.mark_each(list)
  local count = #list
  if 2 * count > last then
    ran.all = true
    return
  end
  local n = ran.n
  for i = 1, count do
    ran[n + i] = list[i].slot
  end
  ran.n = n + count
end


--- Look at who ran: gives the length of `told`. `look(spot)` tells what the window shows of one besides its place.
function places.look(look)
  local ran, selves, at, told, rawget, type = ran, selves, at, told, rawget, type -- luacheck: ignore 431
  local all, n = ran.all or entity.entangled, 3
  for i = 1, all and last or ran.n do
    local slot = all and i or ran[i]
    local self = selves[slot]
    if self then
      if shown[slot] or rawget(self, "sprite") ~= nil or rawget(self, "text") ~= nil or rawget(self, "light") ~= nil then
        look(spots[slot])
        shown[slot] = true
      end
      -- Only numbers are kept: no table meets another here and asks a script's `__eq`.
      local x, y, k = rawget(self, "x"), rawget(self, "y"), 2 * slot
      if (x ~= at[k - 1] or y ~= at[k]) and type(x) == "number" and type(y) == "number" then
        at[k - 1], at[k] = x, y
        told[n + 1], told[n + 2], told[n + 3] = ids[slot], x, y
        n = n + 3
      end
    end
  end
  ran.n, ran.all, told[3] = 0, false, n - 3
  return n
end


return places
