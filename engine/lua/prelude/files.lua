-- Which file of the prelude has what is loaded with its first use, and how it comes to a script.

local prelude = ...

local next, setmetatable, type = next, setmetatable, type
local get_class = debug.getmetatable

local libraries = { time = setmetatable({}, prelude.face) } -- those that somebody uses

local files = { made = libraries }

-- Libraries of scripts, and functions.
files.libraries = {
  string = "standard", table = "standard", math = "standard", os = "time", coroutine = "coroutines",
  utf8 = utf8 and "standard", bit = bit and "standard", time = "time", task = "task", async = "async", bus = "bus",
  entity = "entities", shared = "shared", log = "log", input = "window", sprite = "window", sound = "window",
  camera = "window", draw = "window",
  pcall = "rare", xpcall = "rare", getmetatable = "rare", setmetatable = "rare", rawset = "rare", load = "rare",
  loadstring = jit and "rare", collectgarbage = "rare", tween = "rare", print = "rare", require = "rare",
}

-- Of these, what gives the same whenever it is called; random numbers ask who draws them.
local SAME = {
  string = true, table = true, math = true, utf8 = true, bit = true, pcall = true, xpcall = true, getmetatable = true,
  setmetatable = true, rawset = true,
}

-- Kinds of mail that few states get.
files.readers = {
  create = "births", another = "births", begin = "ahead", boot = "calling", hook = "calling", direct = "bus",
  request = "requests", reply = "requests", typed = "console", result = "host", callback = "host", snapshot = "snapshots",
  load = "reload", fill = "reload", discard = "reload", resume = "reload", early = "early", catch_up = "early",
  final = "leaving",
}


--- The library, or the function, of that name; nothing where there is none.
function files.library(name)
  local made = libraries[name]
  local file = not made and files.libraries[name]
  if file then
    made = prelude[file].library(name)
    libraries[name] = made
  end
  return made
end


--- What is found as a method of a string; `methods` is their metatable.
function files.methods(methods)
  return prelude.standard.methods(methods)
end


--- A copy of a library for one entity, or a function that few scripts call.
function files.copy_for(entity, name)
  local library = files.library(name)
  if type(library) ~= "table" then
    return library
  end
  local copy = {}
  for key, value in next, library do
    copy[key] = value
  end
  if name == "entity" then
    copy.id, copy.script = entity.id, entity.script
  end
  local meta = get_class(library)
  return meta and setmetatable(copy, meta) or copy
end


--- What an environment gives for a name that it has not: a library, a function that few scripts call, or nothing.
function files.find(entity, name)
  local env = entity.env
  if name == "_G" then
    env._G = env
    prelude.rare.show(env)
    return env
  end
  local copies = entity.copies
  local copy = copies and copies[name] or files.copy_for(entity, name)
  if copy then
    env[name] = copy
  end
  return copy
end


--- True where scripts have come to use none of these but what gives the same whenever it is called.
function files.are_the_same()
  for name in next, libraries do
    if name ~= "time" and not SAME[name] then
      return false
    end
  end
  return true
end


--- The fields of these names.
function files.pick(from, names)
  local made = {}
  for i = 1, #names do
    made[names[i]] = from[names[i]]
  end
  return made
end


--- Functions of a file that is loaded with the first call of one. Tail calls: errors blame the script all the same.
function files.on_first_call(file, names)
  local made = {}
  for i = 1, #names do
    local name = names[i]
    made[name] = function(...)
      return prelude[file][name](...)
    end
  end
  return made
end


return files
