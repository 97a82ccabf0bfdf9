-- Where the entities of a state with many are, and which of them have to be looked at after a tick.
-- Guarantee: who did not run is not looked at, and whoever moved is told in the tick in which that happened. A tick
-- leaves no garbage: what nobody clears is written again.
--
-- Only an entity's own tasks reach its `self`, so the scheduler notes whose tasks ran. Python reaches it too, and can give
-- it to another entity; from then on all are looked at. A `self` tells when it gets a field that a window shows, so that
-- nobody has to ask most of them for it.

local prelude = ...
local scheduler, entity, outbox, sandbox = prelude.scheduler, prelude.entity, prelude.outbox, prelude.sandbox
local march = prelude.march

local rawget, rawset, type, error = rawget, rawset, type, error
local setmetatable, get_class, unpack = setmetatable, debug.getmetatable, table.unpack or unpack

local FEW = 12 -- values of the places that are told with what else there is
local MANY = 8 -- entities, whose places may be told as one list of all

local SHOWN = { sprite = true, text = true, light = true } -- without one of these a window shows nothing

local ran = { n = 0, all = true } -- slots of who ran since the last look; or all of them are to be looked at
local selves, spots, ids, slot_of = {}, {}, {}, {} -- by slot, and the slot of a `self`
local bodies = {} -- by slot: `self` where its fields can just be read, false where not, nil where nobody knows yet
local xs, ys = {}, {} -- by slot: false where there is no place
local every = {} -- all slots
local scripts = setmetatable({}, { __mode = "k" }) -- the script's table -> slot of an entity whose fields can be read
local free, vacant, last = {}, 0, 0

local moved, strays = {}, {} -- slots of who moved since the last look, and of whom `look` has to be asked about
local movers, others = 0, 0 -- how many

-- What is told is an operation, either of those that moved, or of all: first each x, then each y.
local told = { "places", 0, 0 } -- id, x, y of each
local sheet = { "sheet", 0, 0 }
local whole = false
local seated, settled = false, false -- the world knows who has which slot; nobody was born since all were looked at

local places = {}


--- Look at this entity from now on.
function places.join(me)
  local slot = last + 1
  if vacant > 0 then
    slot, vacant = free[vacant], vacant - 1
  else
    last = slot
  end
  local spot = me.spot
  me.slot, slot_of[spot.self], seated, settled = slot, slot, false, false
  selves[slot], spots[slot], ids[slot], every[slot], bodies[slot] = spot.self, spot, me.id, slot, nil
  xs[slot], ys[slot] = spot.x or false, spot.y or false
  scheduler.mark(me)
end


function places.leave(me)
  local slot = me.slot
  if slot > 0 then
    vacant = vacant + 1
    free[vacant], me.slot, slot_of[selves[slot]] = slot, 0, nil
    selves[slot], spots[slot], ids[slot], bodies[slot] = false, false, 0, false
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


--- A field of `value` is set, past its metatable.
function sandbox.on_raw(value, key)
  local slot = SHOWN[key] and slot_of[value]
  if slot then
    bodies[slot] = nil
  end
end


-- Sets a field that `self` did not have.
local function watch(self, key, value)
  if key == nil or key ~= key then
    error(key == nil and "table index is nil" or "table index is NaN", 2)
  end
  rawset(self, key, value)
  sandbox.on_raw(self, key)
end


-- `self`, if reading a field of it just gives what is set there, or nothing, or what the script's table has; else false.
-- Who shows something takes the long way as well.
local function body_of(slot)
  local self, class = selves[slot], get_class(selves[slot])
  local script = class and rawget(class, "__index")
  if spots[slot].shown or type(script) ~= "table" or get_class(script) ~= nil
    or rawget(script, "x") ~= nil or rawget(script, "y") ~= nil then
    return false
  end
  scripts[script], class.__newindex = slot, watch
  return self
end


--- A script gives `value` a metatable, which may do anything when a field is read.
function sandbox.on_class(value)
  local slot = scripts[value]
  if slot then
    bodies[slot] = false
  end
end


--- Look at the entities that have the slots number `first` to `to` of a list, where only their places can be new; `look`
-- sees to the others.
function places.pass(slots, first, to)
  local bodies, xs, ys, moved, type, n = bodies, xs, ys, moved, type, movers -- luacheck: ignore 431
  for i = first, to do
    local slot = slots[i]
    local self = bodies[slot]
    if self then
      local x, y = self.x, self.y
      -- Only numbers are kept: no table meets another here and asks a script's `__eq`.
      if (x ~= xs[slot] or y ~= ys[slot]) and type(x) == "number" and type(y) == "number" then
        n = n + 1
        xs[slot], ys[slot], moved[n] = x, y, slot
      end
    else
      others = others + 1
      strays[others] = slot
    end
  end
  movers = n
end


-- Looks at all of one entity: `look(spot)` tells what the window shows of it, and gives x and y.
local function look_at(slot, look)
  local x, y = look(spots[slot])
  if (x ~= xs[slot] or y ~= ys[slot]) and type(x) == "number" and type(y) == "number" then
    movers = movers + 1
    xs[slot], ys[slot], moved[movers] = x, y, slot
  end
  if bodies[slot] == nil or spots[slot].shown then
    bodies[slot] = body_of(slot)
  end
end


-- An operation with the first `extra` values of a list.
local function put(operation, values, extra)
  local list, n = outbox.list, outbox.n
  list[n + 1], list[n + 2], list[n + 3] = operation, 0, extra
  for i = 1, extra do
    list[n + 3 + i] = values[i]
  end
  outbox.n, outbox.mixed = n + 3 + extra, true
end


-- How long what is told is, when so many have moved.
local function tell(n)
  whole = 3 * n > 2 * last and last >= MANY and settled and not entity.apart
  settled = true
  if n == 0 then
    return 0
  elseif whole then
    if not seated then
      put("seats", ids, last)
      seated = true
    end
    sheet[3] = 2 * last
    return 3 + 2 * last
  end
  for i = 1, n do
    local slot = moved[i]
    told[3 * i + 1], told[3 * i + 2], told[3 * i + 3] = ids[slot], xs[slot], ys[slot]
  end
  told[3] = 3 * n
  return 3 + 3 * n
end


--- Look at who ran: gives the length of what is to be told.
function places.look(look)
  if ran.all or entity.entangled then
    places.pass(every, 1, last)
  else
    places.pass(ran, 1, ran.n)
  end
  for i = 1, others do
    local slot = strays[i]
    if selves[slot] then
      look_at(slot, look)
    end
  end
  local n = movers
  ran.n, ran.all, others, movers = 0, false, 0, 0
  return tell(n)
end


--- What is told, from number `from` to `to`, or less.
function places.part(from, to)
  if not whole then
    return unpack(told, from, to)
  elseif from <= 3 then
    return unpack(sheet, from, 3)
  elseif from <= 3 + last then
    return unpack(xs, from - 3, to < 3 + last and to - 3 or last)
  end
  return unpack(ys, from - 3 - last, to - 3 - last)
end


--- Tell the places that are new: one list, which goes by itself where it is long.
function places.publish(look)
  local n = places.look(look)
  if n > FEW then
    prelude.pump.apart = n
  elseif n > 3 then -- so few are no list of all
    local list, last = outbox.list, outbox.n -- luacheck: ignore 431
    for i = 1, n do
      list[last + i] = told[i]
    end
    outbox.n, outbox.mixed = last + n, true
  end
end


prelude.several.hand_over(march, ran)
march.pass = places.pass


return places
