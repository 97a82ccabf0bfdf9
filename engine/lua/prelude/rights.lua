-- What a mod may do: a look before every library function that reaches further than the mod itself.
-- Guarantee: loaded only into states of mods, and before their script; what a script finds in `bus`, `entity` and
-- `shared` is what stands here, and nothing leads from it to what stands behind.

local prelude = ...
local scheduler, entity = prelude.scheduler, prelude.entity

local error, type = error, type
local gmatch, sub = string.gmatch, string.sub

local SHOWN = 200 -- letters of a name in a message

local rights = {}

local library = prelude.files.library
local bus, entities, shared = library("bus"), library("entity"), library("shared")


-- True for the names in `text`, one on a line, and where one ends in "*" for all that begin so.
local function covering(text)
  local names, beginnings = {}, {}
  for entry in gmatch(text, "[^\n]+") do
    if sub(entry, -1) == "*" then
      beginnings[#beginnings + 1] = sub(entry, 1, -2)
    else
      names[entry] = true
    end
  end
  return function(name)
    if names[name] then
      return true
    end
    for i = 1, #beginnings do
      if sub(name, 1, #beginnings[i]) == beginnings[i] then
        return true
      end
    end
    return false
  end
end


-- Blames the script's line; the world knows what the manifest lacks.
local function refuse(word, right, value)
  local _, reason = entity.ask("refusal", scheduler.current.entity.id, right, sub(value, 1, SHOWN))
  error(word .. ": " .. reason, 3)
end


-- Tail calls: errors of the function behind blame the script all the same. What is no string, it refuses itself.

local function hold_bus(may_send)
  local emit, send, request = bus.emit, bus.send, bus.request

  function bus.emit(name, value)
    if type(name) == "string" and not may_send(name) then
      refuse("bus.emit", "sends", name)
    end
    return emit(name, value)
  end

  function bus.send(id, name, value)
    if type(name) == "string" and not may_send(name) then
      refuse("bus.send", "sends", name)
    end
    return send(id, name, value)
  end

  function bus.request(id, name, value, timeout)
    if type(name) == "string" and not may_send(name) then
      refuse("bus.request", "sends", name)
    end
    return request(id, name, value, timeout)
  end
end


local function hold_entities(may_spawn)
  local spawn, destroy = entities.spawn, entities.destroy

  function entities.spawn(script, properties)
    if type(script) == "string" and not may_spawn(script) then
      refuse("entity.spawn", "spawns", script)
    end
    return spawn(script, properties)
  end

  function entities.destroy(id)
    local me = scheduler.current.entity.id
    if type(id) == "number" and id ~= me then
      local ok, reason = entity.ask("may_destroy", me, id)
      if not ok then
        error("entity.destroy: " .. reason, 2)
      end
    end
    return destroy(id)
  end
end


local function hold_shared(may_set)
  local set = shared.set

  function shared.set(key, value)
    if type(key) == "string" and not may_set(key) then
      refuse("shared.set", "sets", key)
    end
    return set(key, value)
  end
end


-- What a warm state has for its first entity: copies of libraries that nobody held yet.
local function forget_copies(me)
  if me then
    prelude.copies.forget(me)
  end
end


--- Hold the scripts of this state to these rights: for each the names, one on a line.
function rights.hold(sends, spawns, sets)
  forget_copies(entity.spare)
  forget_copies(entity.unborn)
  hold_bus(covering(sends))
  hold_entities(covering(spawns))
  hold_shared(covering(sets))
end


return rights
