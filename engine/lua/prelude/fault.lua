-- Turns whatever a script raised into text, and blames the right line.
-- Guarantee: never runs a metamethod of the script while doing so.

local fault = {}

local type, tostring, next, rawget = type, tostring, next, rawget
local format, find, match = string.format, string.find, string.match
local concat, sort = table.concat, table.sort
local pairs, rawequal = pairs, rawequal
local getinfo, traceback, getmetatable = debug.getinfo, debug.traceback, debug.getmetatable

local NAMES = {} -- C function -> what scripts call it
local TRANSPARENT = { [pcall] = true, [xpcall] = true, [error] = true } -- never what keeps a task from waiting

for _, library in pairs({ "string", "table", "coroutine" }) do
  for name, value in pairs(_G[library]) do
    if name ~= "dump" and name ~= "maxn" then -- no script has these
      NAMES[value] = library .. "." .. name
    end
  end
end
for _, name in pairs({ "tostring", "next", "load", "ipairs", "select" }) do
  NAMES[_G[name] or false] = name
end

local FIELDS = 6 -- of a table raised as an error: enough to recognise it, short enough for one line


local function scalar(value)
  local kind = type(value)
  if kind == "string" then
    return format("%q", value)
  elseif kind == "number" or kind == "boolean" then
    return tostring(value)
  end
  return "a " .. kind
end


--- One line for any error value: strings as they are, tables by their first fields.
function fault.describe(value)
  local kind = type(value)
  if kind == "string" then
    return value
  elseif kind ~= "table" then
    return kind == "nil" and "nil (error was called without a message)" or scalar(value)
  end
  local message = rawget(value, "message")
  if type(message) == "string" then
    return message
  end
  local parts = {}
  for key, field in next, value do
    if #parts == FIELDS then
      parts[FIELDS] = "..."
      break
    end
    parts[#parts + 1] = (type(key) == "string" and key or "[" .. scalar(key) .. "]") .. " = " .. scalar(field)
  end
  sort(parts)
  return "{" .. concat(parts, ", ") .. "}"
end


--- True for the source of a file of the prelude. Lua may tell a line of it, though it has none.
function fault.is_ours(source)
  return source == "?" or find(source, "^%[tidelock") ~= nil
end


-- The text of an error that has no place, or one in the prelude, without that; nil where a script has it.
local function without_our_place(text)
  return match(text, "^%?:[%d%-%?]+: (.*)") or match(text, "^%[tidelock[^%]]*%]:%d+: (.*)")
    or not find(text, "^[^:\n]+:%d+: ") and text or nil
end


--- One line for an error that scripts are to see: where they called a function of ours last thing, its place is none.
function fault.told(value)
  local text = fault.describe(value)
  return type(value) == "string" and without_our_place(value) or text
end


--- One line for an error of `thread`: one without a place gets that where it was raised.
function fault.locate(thread, value)
  local text = fault.describe(value)
  local bare = type(value) ~= "string" and text or without_our_place(value)
  local level = 0
  local info = bare and getinfo(thread, level, "Sl") or nil
  while info and (info.currentline < 1 or fault.is_ours(info.short_src)) do
    level = level + 1
    info = getinfo(thread, level, "Sl")
  end
  return info and format("%s:%d: %s", info.short_src, info.currentline, bare) or bare or text
end


--- The stack of `thread` where it failed, under the text of the error.
function fault.trace(thread, text)
  return traceback(thread, text)
end


--- "scripts/door.lua:12" for a function and line kept from `debug.getinfo(level, "fl")`.
function fault.place(func, line)
  local info = getinfo(func, "S")
  return info.short_src .. ":" .. tostring(line)
end


--- The C function that keeps the caller from suspending ("string.gsub"), for an error message.
function fault.in_the_way()
  for level = 3, 200 do
    local info = getinfo(level, "Snf")
    if not info then
      break
    end
    if info.what == "C" and not TRANSPARENT[info.func] then
      return NAMES[info.func] or info.name or "a function"
    end
  end
  return "a function"
end


--- True where `value` is the error `cause`, or its text with something before or after it.
function fault.stems_from(value, cause)
  if type(value) == "string" and type(cause) == "string" then
    return find(value, cause, 1, true) ~= nil
  end
  return rawequal(value, cause)
end


--- What Lua knows of the nearest function from `level` on that is a script's: itself, its source and line; nil where none is.
function fault.script_above(level)
  local info = getinfo(level, "fSl")
  while info and (info.currentline < 1 or fault.is_ours(info.short_src)) do
    level = level + 1
    info = getinfo(level, "fSl")
  end
  return info
end


--- Script and line of the nearest caller that is a script, from `level` on; nil where none is.
function fault.caller(level)
  local info = fault.script_above(level or 4)
  if info then
    return info.short_src, info.currentline
  end
  return nil, 0
end


--- True for a value that can be called, without asking its metatable's metatable.
function fault.callable(value)
  if type(value) == "function" then
    return true
  end
  local meta = type(value) == "table" and getmetatable(value)
  return meta and type(rawget(meta, "__call")) == "function" or false
end


return fault
