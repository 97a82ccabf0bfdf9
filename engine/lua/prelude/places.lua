-- Where the entities of a state with many are, and which of them have to be looked at after a tick.
-- Guarantee: who did not run is not looked at, and whoever moved is told in the tick in which that happened. A tick
-- leaves no garbage: what nobody clears is written again.
--
-- Only an entity's own tasks reach its `self`, so the scheduler notes whose tasks ran. Python reaches it too, and can give
-- it to another entity; from then on all are looked at.

local prelude = ...
local scheduler, entity, outbox, sandbox = prelude.scheduler, prelude.entity, prelude.outbox, prelude.sandbox

local rawget, type, setmetatable, get_class = rawget, type, setmetatable, debug.getmetatable

local ran = { n = 0, all = true } -- slots of who ran since the last look; or all of them are to be looked at
local selves, spots, ids = {}, {}, {} -- by slot
local odd = {} -- by slot: false where the fields of `self` can just be read, nil where nobody knows yet
local scripts = setmetatable({}, { __mode = "k" }) -- the script's table -> slot of an entity that is not odd
local free, vacant, last = {}, 0, 0

-- What is told is an operation, either of those that moved, or of all.
local told = { "places", 0, 0 } -- id, x, y of each
local sheet = { "sheet", 0, 0 } -- x and y of slot n at 2n + 2 and 2n + 3; false where there is no place
local seated, settled = false, false -- the world knows who has which slot; nobody was born since all were looked at
local usual = false -- when most are looked at, most have moved

local places = { list = told }

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
  me.slot, seated, settled = slot, false, false
  selves[slot], spots[slot], ids[slot], odd[slot] = spot.self, spot, me.id, nil
  sheet[2 * slot + 2], sheet[2 * slot + 3] = spot.x or false, spot.y or false
  scheduler.mark(me)
end


function places.leave(me)
  local slot = me.slot
  if slot > 0 then
    vacant = vacant + 1
    free[vacant], me.slot = slot, 0
    selves[slot], spots[slot], ids[slot] = false, false, 0
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


-- True unless reading a field of `self` just gives what is set there, or nothing, or what the script's table has. Who shows
-- something is odd as well.
local function is_odd(slot)
  if odd[slot] ~= nil then
    return true
  end
  local class = get_class(selves[slot])
  local script = class and rawget(class, "__index")
  if spots[slot].shown or type(script) ~= "table" or get_class(script) ~= nil
    or rawget(script, "x") ~= nil or rawget(script, "y") ~= nil then
    return true
  end
  scripts[script] = slot
  return false
end


--- A script gives `value` a metatable, which may do anything when a field is read.
function sandbox.on_class(value)
  local slot = scripts[value]
  if slot then
    odd[slot] = true
  end
end


-- What is told when so many of those who were looked at have moved: gives its length.
local function tell(moved, whole)
  if moved == 0 then
    return 0
  elseif not whole then
    places.list, told[3] = told, 3 * moved
    return 3 + 3 * moved
  elseif not seated then
    outbox.put_list("seats", 0, ids, last)
    seated = true
  end
  places.list, sheet[3] = sheet, 2 * last
  return 3 + 2 * last
end


--- Look at who ran: gives the length of what is to be told, which is `list`. `look(spot)` tells what the window shows of
-- one, and gives x and y.
function places.look(look)
  local ran, selves, sheet, odd, type = ran, selves, sheet, odd, type -- luacheck: ignore 431
  local all, moved = ran.all or entity.entangled, 0
  local count = all and last or ran.n
  local many = 3 * count > 2 * last
  local whole = many and usual and settled and not entity.apart
  local told = not whole and told -- luacheck: ignore 431
  for i = 1, count do
    local slot = all and i or ran[i]
    local self = selves[slot]
    if self then
      local x, y, shows = nil, nil, odd[slot] ~= false
      if not shows then
        x, y = self.x, self.y
        shows = rawget(self, "sprite") ~= nil or rawget(self, "text") ~= nil or rawget(self, "light") ~= nil
      end
      if shows then
        x, y = look(spots[slot])
        odd[slot] = is_odd(slot)
      end
      local k = 2 * slot + 2
      -- Only numbers are kept: no table meets another here and asks a script's `__eq`.
      if (x ~= sheet[k] or y ~= sheet[k + 1]) and type(x) == "number" and type(y) == "number" then
        sheet[k], sheet[k + 1] = x, y
        if told then
          local n = 3 * moved + 3
          told[n + 1], told[n + 2], told[n + 3] = ids[slot], x, y
        end
        moved = moved + 1
      end
    end
  end
  ran.n, ran.all = 0, false
  if many then
    usual, settled = 3 * moved > 2 * last, true
  end
  return tell(moved, whole)
end


return places
