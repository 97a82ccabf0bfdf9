-- Makes ahead of a birth what the first entity of this state will need.
-- Guarantee: nobody can tell that a script was read ahead. Where it asked for more than what all entities are given at all
-- times, `read` says so, and this state is not to be used.

local prelude = ...
local entity, records, script = prelude.entity, prelude.records, prelude.script
local outbox, scheduler, bus = prelude.outbox, prelude.scheduler, prelude.mail

local setmetatable = setmetatable

local SAME = { string = true, table = true, math = true, utf8 = true, bit = true } -- libraries, but for random numbers

local DEPTH = 12 -- calls inside each other in a birth

local ahead = {}


--- An entity and a task, whatever the script.
function ahead.make()
  entity.spare = entity.blank()
  records.release(records.hire()) -- which runs nothing yet: a trace would show it
  records.stretch(DEPTH)
end


--- Compile the text of a script, and copy the libraries that it names; what is wrong with it will be told to an entity.
function ahead.compile(text, chunk)
  script.compile_ahead(text, "@" .. chunk, entity.spare.env)
  prelude.copies.prepare(entity.spare, text)
end


--- Run the text of a script for the first entity. False where it failed, or did more than to make its table.
function ahead.read(text, chunk)
  local me, alone, ask = entity.spare, true, entity.ask
  entity.spare, entity.unborn, entity.list[1] = nil, me, me
  entity.survey()

  function entity.ask()
    alone = false
    return false, ""
  end

  me.copies = setmetatable({}, { __index = function(_, name)
    alone = alone and (SAME[name] or not prelude.files.libraries[name])
  end })
  local done = script.read(me, chunk, text)
  entity.ask = ask
  prelude.copies.prepare(me, text)
  prelude.copies.place(me, text)
  local _ = me.hooks.update and prelude.steady and prelude.standing -- as it will need
  return done and alone and outbox.n == 0 and not me.random and me.task_count == 0 and scheduler.deferrals == 0
end


-- New entity whose script has been read, to be started: id, script, seed, fields.
function bus.receive.begin(box, i)
  local me, id = entity.unborn, box[i]
  entity.unborn, bus.entities[id] = nil, me
  me.id, me.script, me.seed = id, box[i + 1], box[i + 2]
  local after = entity.read_fields(me.self, box, i + 3)
  entity.set_out(me)
  return after
end


return ahead
