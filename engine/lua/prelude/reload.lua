-- A new version of a script, as its state sees it: it is loaded first, and takes over the data of the old one later.
-- Guarantee: loading runs the script's text and nothing else; nothing but plain data comes over from the old version.

local prelude = ...
local scheduler, outbox, payload, snapshots = prelude.scheduler, prelude.posting, prelude.payload, prelude.snapshots
local entity, births, script = prelude.entity, prelude.births, prelude.script

local next, rawget, type = next, rawget, type
local find, gmatch, sub = string.find, string.gmatch, string.sub
local put, receive, by_id = outbox.put, prelude.mail.receive, prelude.mail.entities
local known, learn, names_of = snapshots.known, snapshots.learn, snapshots.names_of

local reload = {}


local function run_hook(me, name, ...)
  local hook = me.hooks[name]
  if hook then
    hook.fn(me.self, ...)
  end
end


-- True where a string of names has that one.
local function has(names, name)
  return find(names, "\n" .. name .. "\n", 1, true) ~= nil
end


-- An entity under a new version, to be started later: id, script, chunk, text, seed, and of the old version the shape of its
-- `self`, or false, and the libraries that it used. What the swap will need is made ready here, while there is time.
function receive.load(box, i)
  local me, shape = births.new(box[i], box[i + 1], box[i + 4]), box[i + 5]
  if script.read(me, box[i + 2], box[i + 3]) then
    script.announce(me, false)
    names_of(me)
  end
  if shape then
    learn(shape)
    prelude.copies.prepare(me, box[i + 6])
  end
  return i + 7
end


-- The fields of `self` for one that was loaded and never got through `init`: id, shape, leaves.
function receive.fill(box, i)
  local fields, after = payload.decode(box[i + 1], box, i + 2)
  local me = by_id[box[i]]
  for key, value in next, fields do
    me.self[key] = value
  end
  births.complete(me)
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
      self[name] = births.copy(me.properties[name])
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
      self[name] = births.copy(value)
    end
  end
end


-- Gives `self` the fields of a payload, shape and leaves, and tells where that ends.
local function take_over(self, box, i)
  local keys = known[box[i]]
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
    run_hook(me, "on_reload", previous)
    entity.enlist(me)
    stage.name = "start"
    run_hook(me, "start")
  end)
  return after
end


reload.renew = renew


--- Make what an entity of the next version will need, whatever its text: of the old one the shape of its `self`, or
-- false, and the libraries that it used.
function reload.make_ahead(shape, names)
  if shape then
    learn(shape)
  end
  for name in gmatch(names, "%a+") do
    local _ = prelude.files.library(name)
  end
  prelude.ahead.make()
  prelude.memory.begin() -- what is here stays: else the collector would work while the next version loads
end


return reload
