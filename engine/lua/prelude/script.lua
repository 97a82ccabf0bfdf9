-- The script of an entity: runs its text, and notes what is in the table that it gives.

local prelude = ...
local scheduler, outbox, refusals = prelude.scheduler, prelude.outbox, prelude.later("refusals")

local error, type, next, setmetatable = error, type, next, setmetatable
local rawget, setfenv, sub, sort = rawget, setfenv, string.sub, table.sort
local getinfo, setupvalue, put = debug.getinfo, debug.setupvalue, outbox.put
local give, load = prelude.give, load

local HOOKS, lists = prelude.calm.hooks, prelude.watch.lists

local script = {}

local MOST_METHODS, LONGEST_METHOD = 200, 40 -- that are looked at for misspelt hooks

local last_text, last_name, make = nil, nil, nil -- the text that was read last, and what makes its functions
local ready, ready_for = nil, nil -- its function for one environment, made ahead
local found = nil -- the table of the script that is being read


-- The methods of these names, in their order: each with the line where it begins.
local function methods_of(class, names)
  sort(names)
  local methods = {}
  for i = 1, #names <= MOST_METHODS and #names or MOST_METHODS do
    methods[i] = { name = names[i], line = getinfo(rawget(class, names[i]), "S").linedefined }
  end
  return methods
end


-- Finds the hooks of a script's table, and its other functions: some may be misspelt hooks.
function script.find_hooks(me, class)
  local hooks, names = me.hooks, nil
  for key, value in next, class do
    if type(value) == "function" then
      if lists(HOOKS, key) then
        hooks[key] = { name = key, fn = value, failures = 0 }
      elseif type(key) == "string" and #key <= LONGEST_METHOD then
        names = names or {}
        names[#names + 1] = key
      end
    end
  end
  me.methods = names and methods_of(class, names)
end


--- What `load` gives for a text of the scripts' folder. Python has each compiled once for all states.
function script.load(text, name, env)
  local fn = give(name, text)
  if not fn then
    return load(text, name, "t", env)
  elseif setfenv then
    return setfenv(fn, env)
  end
  setupvalue(fn, 1, env)
  return fn
end


-- The function of a script's text in `env`. From the second entity on, all share its code: what is compiled once gives each
-- a function of its own. The text has been compiled by itself before, so it is the whole body of that function.
local function compile(text, name, env)
  if text ~= last_text or name ~= last_name then
    last_text, last_name, make = text, name, nil
    return script.load(text, name, env)
  elseif ready and ready_for == env then
    local fn = ready
    ready = nil
    return fn
  end
  make = make or prelude.sharing.compile(text, name)
  if not make then
    return script.load(text, name, env)
  end
  local fn = make(env)
  return setfenv and setfenv(fn, env) or fn
end


--- Compile a text before it is read in `env`; whatever is wrong with it will be told then.
function script.compile_ahead(text, name, env)
  ready, ready_for = compile(text, name, env), env
end


-- Runs the script's text and has `found` the table it returns.
local function read_script(me, chunk, text)
  local fn, problem = compile(text, "@" .. chunk, me.env)
  if not fn then
    error(problem, 0)
  end
  local class = fn()
  if type(class) ~= "table" then
    refusals.no_script(class, me.script, chunk, text)
  end
  if rawget(class, "properties") ~= nil then
    refusals.check_properties(rawget(class, "properties"))
  end
  for key, value in next, class do
    if lists(HOOKS, key) and type(value) ~= "function" then
      refusals.no_hook(class, me.script)
    end
  end
  found = class
end


--- Run the text of a script and note what is in its table. False where it gives none, which has been told.
function script.read(me, chunk, text)
  scheduler.call(me, "loading a script", read_script, me, chunk, text)
  local class = found
  if not class then
    return false
  end
  found, me.class = nil, class
  script.find_hooks(me, class)
  local properties = rawget(class, "properties")
  me.properties = type(properties) == "table" and properties or nil
  setmetatable(me.self, { __index = class, __metatable = false })
  return true
end


local function word_of(value)
  local kind = type(value)
  return kind == "string" and sub(value, 1, LONGEST_METHOD) or (kind == "number" or kind == "boolean") and value or false
end


--- Tell the world of the methods that `find_hooks` found.
function script.tell_methods(me)
  local methods = me.methods
  for i = 1, methods and #methods or 0 do
    put("method", me.id, methods[i].name, methods[i].line)
  end
end


--- Tell the world of a script that has been read. Gives whether it is to begin at once: that it `may`, but not where it did
-- something already, or where it is to live by another clock: the world sees to that first.
function script.announce(me, may)
  local class = me.class
  local isolation, clock = rawget(class, "isolation") or false, rawget(class, "clock") or false
  if isolation or clock then
    isolation, clock = word_of(isolation), word_of(clock)
  end
  local begins = may and outbox.n == 0 and not isolation and not clock or false
  put("script", me.id, isolation, clock, begins)
  script.tell_methods(me)
  if me.hooks.on_input then
    put("input", me.id)
  end
  return begins
end


return script
