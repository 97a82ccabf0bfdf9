-- Makes ahead of a birth what the first entity of this state will need.
-- Guarantee: nobody can tell that this was so.

local prelude = ...
local entity, births, records = prelude.entity, prelude.births, prelude.records
local script, copies = prelude.script, prelude.copies
local by_id = prelude.mail.entities

local DEPTH = 12 -- calls inside each other in a birth

local ahead = {}


--- An entity and a task, whatever the script.
function ahead.make()
  entity.spare = births.blank()
  records.release(records.hire()) -- which runs nothing yet: a trace would show it
  records.stretch(DEPTH)
end


--- Compile the text of a script, and copy the libraries that it names; what is wrong with it will be told to an entity.
function ahead.compile(text, chunk)
  script.compile_ahead(text, "@" .. chunk, entity.spare.env)
  copies.prepare(entity.spare, text)
end


--- Make what an entity will use whose script, of that text, has been read. False where it does not lie in wait any more.
function ahead.provide(text)
  local me = entity.unborn
  copies.prepare(me, text)
  copies.place(me, text)
  records.stretch(DEPTH)
  local _ = me.hooks.update and prelude.steady
  return prelude.body.leader()
end


-- New entity whose script has been read, to be started: id, script, seed, fields.
function prelude.mail.receive.begin(box, i)
  local me, id = entity.unborn, box[i]
  entity.unborn, by_id[id] = nil, me
  me.id, me.script, me.seed = id, box[i + 1], box[i + 2]
  if me.methods then
    script.find_hooks(me, me.class)
  end
  local after = births.read_fields(me.self, box, i + 3)
  births.set_out(me)
  return after
end


return ahead
