-- The `entity` library that scripts call: births and deaths, and who there is.

local prelude = ...
local scheduler, outbox, entity, clock = prelude.scheduler, prelude.posting, prelude.entity, prelude.clock
local decode, check_id, shown = prelude.reading.decode, prelude.checks.check_id, prelude.checks.shown

local error, type = error, type
local find, format = string.find, string.format
local put = outbox.put

local LONGEST_NAME = prelude.mail.LONGEST_NAME
local MOST_TAGS = 1000 -- of an entity; operations.py has the same bound

local entities = {}


local function check_world(word, level)
  if not entity.ask then
    error(format("%s: this state has no world, so no entities", word), level + 1)
  end
end


local function ask(word, level, ...)
  local ok, answer = entity.ask(word, scheduler.current.entity.id, ...)
  if not ok then
    error(answer, level + 1)
  end
  return answer
end


local function count_spawn(me)
  local frame = clock.frame
  if me.spawn_frame ~= frame then
    me.spawn_frame, me.spawns = frame, 0
  end
  me.spawns = me.spawns + 1
  if me.spawns > entity.most_spawns then
    error(format("entity.spawn: entity %d has spawned %d in this frame, the limit (Limits.spawns); wait() in between, "
      .. "or raise the limit", me.id, entity.most_spawns), 3)
  end
end


--- Make an entity of `script` at the end of this frame; returns its id now.
function entities.spawn(script, properties)
  if type(script) ~= "string" then
    error("entity.spawn: expected the name of a script, got " .. (script == nil and "nil" or "a " .. type(script)), 2)
  elseif properties ~= nil and type(properties) ~= "table" then
    error("entity.spawn: properties must be a table, got a " .. type(properties), 2)
  end
  check_world("entity.spawn", 2)
  local me = scheduler.current.entity
  count_spawn(me)
  local mark = outbox.mark()
  local id = ask("new_id", 2, script)
  local reason = outbox.put_payload("spawn", me.id, script, id, 0, properties or {}, "properties")
  if reason then
    outbox.cut(mark)
    error("entity.spawn: " .. reason, 2)
  end
  return id
end


--- End an entity, the calling one without an id, at the end of this frame.
function entities.destroy(id)
  if id ~= nil then
    check_id("entity.destroy", id, 2)
  end
  local me = scheduler.current.entity
  outbox.check("entity.destroy", 2, id or me.id)
  put("destroy", me.id, id or me.id)
end


--- Ids of the entities of a script or with a tag, ascending; as of the start of this round.
function entities.find(name)
  if type(name) ~= "string" then
    error("entity.find: expected a script or a tag, got " .. (name == nil and "nil" or "a " .. type(name)), 2)
  end
  check_world("entity.find", 2)
  local me = scheduler.current.entity
  local box = { entity.ask("find", me.id, name) }
  return (decode(box[2], box, 3))
end


--- True while the entity lives.
function entities.exists(id)
  check_id("entity.exists", id, 2)
  check_world("entity.exists", 2)
  return ask("exists", 2, id)
end


local function count_tag(me, name)
  local tags = me.tags or { count = 0, names = {} }
  me.tags = tags
  if not tags.names[name] then
    if tags.count >= MOST_TAGS then
      error(format("entity.tag: entity %d has %d tags and gets no more; keep data about it in self", me.id, MOST_TAGS), 3)
    end
    tags.names[name], tags.count = true, tags.count + 1
  end
end


--- Give the calling entity a tag, for `entity.find`.
function entities.tag(name)
  if type(name) ~= "string" or find(name, "^%s*$") then
    error("entity.tag: expected a name, got " .. (type(name) == "string" and "an empty one" or shown(name)), 2)
  end
  if #name > LONGEST_NAME then
    error(format("entity.tag: the tag has %d bytes, %d at most; keep data about the entity in self", #name, LONGEST_NAME), 2)
  end
  outbox.check("entity.tag", 2, name)
  local me = scheduler.current.entity
  count_tag(me, name)
  put("tag", me.id, name)
end


function entities.library()
  return prelude.files.pick(entities, { "spawn", "destroy", "find", "exists", "tag" })
end


return entities
