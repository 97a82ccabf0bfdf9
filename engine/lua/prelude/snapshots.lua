-- Takes snapshots: gives `self` of an entity as plain data, with which its next version starts. Knows what such data looks
-- like, so that most of the time nothing has to be asked of it.
-- Guarantee: nothing but plain data is given, and no script can tell that it was.

local prelude = ...
local outbox, payload = prelude.posting, prelude.payload

local next, type = next, type
local concat, sort, sub = table.concat, table.sort, string.sub
local as_number = prelude.screen.as_number
local unpack = table.unpack or unpack
local put, receive, by_id = outbox.put, prelude.mail.receive, prelude.mail.entities

local snapshots = {
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


-- The same, of a shape that was seen before at once.
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
    snapshots.give = me.give
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
    outbox.list[start + 5] = prelude.copies.used(me)
  end
  return i + 2
end


--- The names of the prelude's modules that this state has loaded.
function snapshots.loaded()
  local names = {}
  for name in next, prelude do
    names[#names + 1] = name
  end
  return concat(names, SEPARATOR)
end


snapshots.known, snapshots.learn, snapshots.names_of = keys_of, learn, names_of


return snapshots
