-- Reload, as a state sees it: a new version is loaded first, and takes over the data of the old one later.
-- Guarantee: loading runs the script's text and nothing else; nothing but plain data comes over from the old version.

local prelude = ...
local scheduler, outbox, payload = prelude.scheduler, prelude.outbox, prelude.payload
local bus, entity = prelude.mail, prelude.entity

local next, rawget, type = next, rawget, type
local concat, sort = table.concat, table.sort
local find, gmatch, sub = string.find, string.gmatch, string.sub
local put, receive, by_id = outbox.put, bus.receive, bus.entities

local SEPARATOR = "\n"
local CARRIED = 16 * 1024 * 1024 -- bytes of `self`: what never leaves the world may be more than a payload


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


-- Asks for `self` as plain data, transient fields left out, and for the names of the properties: id.
function receive.snapshot(box, i)
  local me = by_id[box[i]]
  local fields = {}
  for key, value in next, me.self do
    if type(key) ~= "string" or sub(key, 1, 1) ~= "_" then
      fields[key] = value
    end
  end
  local limits = outbox.limits
  outbox.limits = { bytes = CARRIED, depth = limits.depth }
  local reason = outbox.put_payload("snapshot", me.id, names_of(me), 0, 0, fields, "self")
  outbox.limits = limits
  if reason then
    put("snapshot", me.id, false, 0, 0, reason)
  end
  return i + 1
end


-- An entity under a new version, to be started later: id, script, chunk, text, seed.
function receive.load(box, i)
  local me = entity.new(box[i], box[i + 1], box[i + 4])
  if entity.load_script(me, box[i + 2], box[i + 3]) then
    names_of(me) -- here, while there is time, not at the swap
  end
  return i + 5
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
    entity.remove(me)
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


-- Start of a loaded entity with the data of the version before: id, its number, its properties' names, shape, leaves.
function receive.resume(box, i)
  local me = by_id[box[i]]
  local fields, after = payload.decode(box[i + 3], box, i + 4)
  local self = me.self
  for key, value in next, fields do
    self[key] = value
  end
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


return {
  --- The names of the prelude's modules that this state has loaded.
  loaded = function()
    local names = {}
    for name in next, prelude do
      names[#names + 1] = name
    end
    return concat(names, SEPARATOR)
  end,
}
