-- Reload, as a state sees it: a new version is loaded first, and takes over the data of the old one later.
-- Guarantee: loading runs the script's text and nothing else; nothing but plain data comes over from the old version.

local prelude = ...
local scheduler, outbox, payload = prelude.scheduler, prelude.posting, prelude.payload
local bus, entity, script, sandbox = prelude.mail, prelude.entity, prelude.script, prelude.sandbox

local next, rawget, type = next, rawget, type
local concat, sort = table.concat, table.sort
local find, gmatch, sub = string.find, string.gmatch, string.sub
local as_number = prelude.screen.as_number
local unpack = table.unpack or unpack
local put, receive, by_id = outbox.put, bus.receive, bus.entities

local reload = {
  give = nil, -- gives the data of the newest entity, without a tick; for Python, where that is alone
}

local SEPARATOR = "\n"
local keys_of = {} -- shape -> the keys of a map without tables, in the order of its leaves
local CARRIED = 16 * 1024 * 1024 -- bytes of `self`: what never leaves the world may be more than a payload
local MOST_GIVEN = 200 -- leaves that need no tick to be taken
local PLANNED = 32 * 1024 -- bytes of the strings in `self`, where nobody counts the rest


-- The names of an entity's properties, in one string that equals another one if the names do.
local function names_of(me)
  local names = me.names
  if not names then
    local list = {}
    for key in next, me.properties or {} do
      if type(key) == "string" then
        list[#list + 1] = key
      end
    end
    sort(list)
    names = SEPARATOR .. concat(list, SEPARATOR) .. SEPARATOR
    me.names = names
  end
  return names
end


local function has(names, name)
  return find(names, SEPARATOR .. name .. SEPARATOR, 1, true) ~= nil
end


-- The keys of a map without tables in the order of its leaves; false for any other shape.
local function read_keys(shape)
  if sub(shape, 1, 1) ~= "{" then
    return false
  end
  local places, keys = {}, {}
  for place = 1, #shape do -- more than it has leaves: each is a character there
    places[place] = place
  end
  for key, place in next, (payload.decode(shape, places, 1)) do
    if type(place) ~= "number" then
      return false
    end
    keys[place] = key
  end
  return keys
end


local function learn(shape)
  local keys = keys_of[shape]
  if keys == nil then
    keys = read_keys(shape)
    keys_of[shape] = keys
  end
  return keys
end


-- What gives the data of an entity as long as its fields are those that are known: their shape and the leaves; else false.
-- It is called in a thousand states at once, where nearly all but its own locals is out of the cache.
local function giver(self, shape, keys)
  local places, list, n = {}, {}, #keys
  for place = 1, n do
    places[keys[place]], list[place] = place, true
  end
  return function()
    local list, count, bytes = list, 0, 0 -- luacheck: ignore 431
    for key, value in next, self do
      local place = places[key]
      if place then
        if as_number(value) ~= value and value ~= true and value ~= false then
          local kind = type(value)
          if kind == "string" then
            bytes = bytes + #value
          elseif kind ~= "number" then
            return false
          end
        end
        count = count + 1
        list[place] = value
      elseif type(key) ~= "string" or sub(key, 1, 1) ~= "_" then
        return false
      end
    end
    if count < n or bytes > PLANNED then
      return false
    end
    return shape, unpack(list, 1, n)
  end
end


-- Notes where each field of `self` stands in data of this shape, for the next time.
local function plan(me, shape)
  local keys = learn(shape)
  if keys and #keys <= MOST_GIVEN then
    me.give = giver(me.self, shape, keys)
    reload.give = me.give
  end
end


-- Puts `self` as it was planned. False, and nothing is put, where that is not possible.
local function put_planned(me)
  local data = me.give and { me.give() }
  if not data or not data[1] then
    return false
  end
  local list, n = outbox.list, outbox.n
  list[n + 1], list[n + 2], list[n + 4], list[n + 5], list[n + 6] = "snapshot", me.id, names_of(me), 0, 0
  for i = 1, #data do
    list[n + 6 + i] = data[i]
  end
  return not outbox.commit(n, n + 6 + #data)
end


-- Asks for `self` as plain data, transient fields left out, and for the names of the properties: id, and the shape that
-- it probably has, or false. Where that is not so for the first time, it also tells which libraries the entity has used.
function receive.snapshot(box, i)
  local me, shape = by_id[box[i]], box[i + 1]
  if shape and not me.give then
    plan(me, shape)
  end
  if put_planned(me) then
    return i + 2
  end
  local fields = {}
  for key, value in next, me.self do
    if type(key) ~= "string" or sub(key, 1, 1) ~= "_" then
      fields[key] = value
    end
  end
  local limits, start = outbox.limits, outbox.n
  outbox.limits = { bytes = CARRIED, depth = limits.depth }
  local reason = outbox.put_payload("snapshot", me.id, names_of(me), 0, 0, fields, "self")
  outbox.limits = limits
  if reason then
    put("snapshot", me.id, false, 0, 0, reason)
  else
    plan(me, outbox.list[start + 7])
    outbox.list[start + 5] = sandbox.used(me)
  end
  return i + 2
end


-- An entity under a new version, to be started later: id, script, chunk, text, seed, and of the old version the shape of its
-- `self`, or false, and the libraries that it used. What the swap will need is made ready here, while there is time.
function receive.load(box, i)
  local me, shape = entity.new(box[i], box[i + 1], box[i + 4]), box[i + 5]
  if script.read(me, box[i + 2], box[i + 3]) then
    script.announce(me, false)
    names_of(me)
  end
  if shape then
    learn(shape)
    sandbox.prepare(me, box[i + 6])
  end
  return i + 7
end


-- The fields of `self` for one that was loaded and never got through `init`: id, shape, leaves.
function receive.fill(box, i)
  local fields, after = payload.decode(box[i + 1], box, i + 2)
  entity.fill(by_id[box[i]], fields)
  return after
end


-- A loaded entity is not needed after all: id.
function receive.discard(box, i)
  local me = by_id[box[i]]
  if me then
    prelude.leaving.remove(me)
  end
  return i + 1
end


-- Properties that are new get their defaults, those that are gone go. What the old version had set to nil stays nil.
local function migrate(me, before)
  local names, self = names_of(me), me.self
  if names == before then
    return
  end
  for name in gmatch(names, "[^\n]+") do
    if not has(before, name) and rawget(self, name) == nil then
      self[name] = entity.copy(me.properties[name])
    end
  end
  for name in gmatch(before, "[^\n]+") do
    if not has(names, name) and rawget(self, name) ~= nil then
      self[name] = nil
      put("dropped", me.id, name)
    end
  end
end


-- Transient properties were not carried over.
local function renew(me)
  local self = me.self
  for name, value in next, me.properties or {} do
    if type(name) == "string" and sub(name, 1, 1) == "_" then
      self[name] = entity.copy(value)
    end
  end
end


-- Gives `self` the fields of a payload, shape and leaves, and tells where that ends.
local function take_over(self, box, i)
  local keys = keys_of[box[i]]
  if keys then
    for place = 1, #keys do
      self[keys[place]] = box[i + place]
    end
    return i + 1 + #keys
  end
  local fields, after = payload.decode(box[i], box, i + 1)
  for key, value in next, fields do
    self[key] = value
  end
  return after
end


-- Start of a loaded entity with the data of the version before: id, its number, its properties' names, shape, leaves.
function receive.resume(box, i)
  local me = by_id[box[i]]
  local after = take_over(me.self, box, i + 3)
  renew(me)
  migrate(me, box[i + 2])
  local previous
  if me.hooks.on_reload then
    previous = { version = box[i + 1], self = (payload.decode(box[i + 3], box, i + 4)) }
  end
  local stage = { name = "on_reload", failures = 0 }
  scheduler.run(me, stage, function()
    entity.run_hook(me, "on_reload", previous)
    entity.enlist(me)
    stage.name = "start"
    entity.run_hook(me, "start")
  end)
  return after
end


reload.keys, reload.names_of, reload.renew = learn, names_of, renew


--- Make what an entity of the next version will need, whatever its text: of the old one the shape of its `self`, or
-- false, and the libraries that it used.
function reload.make_ahead(shape, names)
  if shape then
    learn(shape)
  end
  for name in gmatch(names, "%a+") do
    local _ = sandbox.libraries[name]
  end
  prelude.ahead.make()
  prelude.memory.begin() -- what is here stays: else the collector would work while the next version loads
end


--- The names of the prelude's modules that this state has loaded.
function reload.loaded()
  local names = {}
  for name in next, prelude do
    names[#names + 1] = name
  end
  return concat(names, SEPARATOR)
end


return reload
