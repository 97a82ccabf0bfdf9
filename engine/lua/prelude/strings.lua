-- The string functions that scripts get where there are limits.
-- Guarantee: they give what Lua's own give, and none of them takes long without being counted.
--
-- Lua's own function does the work where the pattern and the subject cannot take long; elsewhere `patterns` does it, in
-- Lua, where every step is counted. Wrong arguments go to Lua's own function too, for its own words: as a tail call, so
-- that they blame the script's line.

local prelude = ...
local patterns = prelude.later("patterns")

local strings = {
  effort = 200000, -- steps that a C function may take, less than a millisecond
}

local raw_find, raw_match, raw_gmatch, raw_gsub, raw_rep = string.find, string.match, string.gmatch, string.gsub, string.rep
local type, error, next, tostring = type, error, next, tostring
local math_type, floor = math.type, math.floor
local charge, refuses, own = prelude.charging.charge, prelude.blame.refuses, prelude.blame.own

local SHORT = 4096 -- bytes that are worth no count
local BYTES = 16 -- that a C function handles in the time of an instruction
local KEPT = 400
local SPECIAL = "[%^%$%*%+%?%.%(%)%[%%%-]"
local SEARCHED = "[%^%$%*%+%?%.%(%[%%%-]" -- Lua's own `find` takes any other pattern as plain text, ")" too

local anchoring, literal, known = {}, {}, 0 -- pattern -> how long a subject may be for Lua's own function


local function is_text(value)
  local kind = type(value)
  return kind == "string" or kind == "number"
end


-- How long a subject may be for Lua's own function. `caret` tells whether "^" at the start is an anchor.
local function weigh(pattern, caret)
  local most = SHORT
  if raw_find(pattern, SPECIAL) then
    local program = patterns.compile(pattern, caret)
    most = program.faulty and -1 or program.power > 0
      and floor((strings.effort / program.factor) ^ (1 / program.power)) - 1
      or program.factor > strings.effort and -1 or SHORT
  end
  if known >= KEPT then
    anchoring, literal, known = {}, {}, 0
  end
  if #pattern < SHORT then
    (caret and anchoring or literal)[pattern] = most
    known = known + 1
  end
  return most
end


-- The program to run, or nil where Lua's own function is quick enough or has to refuse the arguments.
local function risky(text, pattern, caret)
  if not (is_text(text) and is_text(pattern)) then
    return nil
  end
  text, pattern = tostring(text), tostring(pattern)
  if #text <= weigh(pattern, caret) then
    return nil
  end
  local program = patterns.compile(pattern, caret)
  if program.power <= 1 and not program.faulty and program.factor <= strings.effort then
    charge(#text * program.factor / BYTES)
    return nil
  end
  return program
end


-- A place to start from, as Lua counts it; nil where Lua's own function must say what is wrong with it, or find nothing.
local function place(init, length)
  if init == nil then
    return 1
  elseif math_type(init) ~= "integer" or init > length + 1 then
    return nil
  elseif init < 0 then
    return init < -length and 1 or length + init + 1
  end
  return init == 0 and 1 or init
end


-- True where Lua's own function is quick, and nothing is wrong with the arguments.
local function easily(easy, text, init)
  return easy and type(text) == "string" and #text <= easy and (init == nil or math_type(init) == "integer")
end


-- A search without patterns tries every place: long texts with long needles take the product of both.
local function find_plain(text, needle, init, plain)
  if is_text(text) and is_text(needle) then
    local work = #tostring(text) * #tostring(needle)
    if work > strings.effort then
      charge(work / 256)
    end
  end
  return own("find", raw_find, text, needle, init, plain)
end


function strings.find(text, pattern, init, plain)
  local easy = anchoring[pattern] -- `easily`, written out: most calls are such
  if easy and not plain and type(text) == "string" and #text <= easy and (init == nil or math_type(init) == "integer") then
    return raw_find(text, pattern, init)
  elseif plain or not is_text(pattern) or not raw_find(pattern, SEARCHED) then
    return find_plain(text, pattern, init, plain)
  end
  local program = risky(text, pattern, true)
  local at = program and place(init, #tostring(text))
  if not at then
    return own("find", raw_find, text, pattern, init)
  end
  local first, last = patterns.search(program, tostring(text), at)
  if first and program.captures > 0 then
    return first, last, patterns.captures(program, first, last)
  elseif first then
    return first, last
  end
  return nil
end


function strings.match(text, pattern, init)
  local easy = anchoring[pattern]
  if easy and type(text) == "string" and #text <= easy and (init == nil or math_type(init) == "integer") then
    return raw_match(text, pattern, init)
  end
  local program = risky(text, pattern, true)
  local at = program and place(init, #tostring(text))
  if not at then
    return own("match", raw_match, text, pattern, init)
  end
  local first, last = patterns.search(program, tostring(text), at)
  if first then
    return patterns.captures(program, first, last)
  end
  return nil
end


function strings.gmatch(text, pattern, init)
  if easily(literal[pattern or false], text, init) then
    return raw_gmatch(text, pattern, init)
  end
  local program = risky(text, pattern, false)
  local at = program and place(init, #tostring(text))
  if not at then
    return own("gmatch", raw_gmatch, text, pattern, init)
  end
  text = tostring(text)
  local last_stop = nil
  return function()
    local first, last = patterns.search(program, text, at)
    if first and last + 1 == last_stop then -- an empty match where the last one ended
      first, last = patterns.search(program, text, first + 1)
    end
    if not first then
      at = #text + 2
      return nil
    end
    at, last_stop = last + 1, last + 1
    return patterns.captures(program, first, last)
  end
end


function strings.gsub(text, pattern, replacement, most)
  if easily(anchoring[pattern or false], text, most) and type(replacement) == "string"
    and not raw_find(replacement, "%", 1, true) then
    return raw_gsub(text, pattern, replacement, most)
  end
  local kind = type(replacement)
  local right = is_text(replacement) or kind == "table" or kind == "function"
  local program = right and (most == nil or math_type(most) == "integer") and risky(text, pattern, true)
  if not program then
    return own("gsub", raw_gsub, text, pattern, replacement, most)
  elseif kind == "number" then
    replacement = tostring(replacement)
  end
  return prelude.substitution.run(program, tostring(text), replacement, most or #tostring(text) + 1)
end


function strings.rep(text, times, separator)
  if not is_text(text) or type(times) ~= "number" or not (separator == nil or is_text(separator)) then
    return own("rep", raw_rep, text, times, separator)
  elseif times > 0 then
    local bytes = (#tostring(text) + (separator and #tostring(separator) or 0)) * times
    local refused = refuses(bytes)
    if refused then
      error("string.rep: " .. refused, 2)
    elseif bytes > SHORT then
      charge(bytes / BYTES)
    end
  end
  return own("rep", raw_rep, text, times, separator)
end


-- Functions that go over their first argument once.
local function counted(name, fn)
  return function(text, ...)
    if type(text) == "string" and #text > SHORT then
      charge(#text / BYTES)
    end
    return own(name, fn, text, ...)
  end
end

for _, name in next, { "lower", "reverse", "upper" } do
  strings[name] = counted(name, string[name])
end

strings.utf8 = {}
for _, name in next, { "len", "codepoint", "offset" } do
  strings.utf8[name] = counted(name, utf8[name])
end


return strings
