-- Lua's patterns in Lua: the same matches as `string.find`, but every step is an instruction that the budget counts.
-- Guarantee: what the C functions find is found, and what they refuse is refused with the same words.
--
-- A pattern becomes a chain of functions, made from its end: each takes a place in the subject and gives the place after
-- the match, or nothing. One match runs at a time and calls no script, so subject and captures are locals of this file.

local prelude = ...
local script_line = prelude.blame.place

local patterns = {}

local byte, find, sub = string.byte, string.find, string.sub
local error, format = error, string.format

local KEPT, LONGEST_KEPT = 200, 400
local LONG = 64 -- bytes of a set that is long
local read, OPEN, POSITION = prelude.steps.read, prelude.steps.OPEN, prelude.steps.POSITION
local NOT = byte("^")

local subject, length = "", 0
local from, size = {}, {} -- of the captures: where each starts, how long it is (or OPEN, POSITION)

local programs, kept = {}, 0
local make = {} -- kind of step -> function(step, follow): the function of the step, before that of the rest


--- Raise `message` at the script's line.
function patterns.fail(message)
  error(script_line() .. message, 0)
end


function make.single(step, follow)
  local set = step.set
  return function(at)
    if set[byte(subject, at)] then
      return follow(at + 1)
    end
  end
end


-- Lua asks each byte of a long set, for each of the subject: the loop is counted.
local function greedy_of_many(step, follow)
  local set, least = step.set, step.least
  return function(at)
    local last = at
    while set[byte(subject, last)] do
      last = last + 1
    end
    for place = last, at + least, -1 do
      local stop = follow(place)
      if stop then
        return stop
      end
    end
  end
end


function make.greedy(step, follow)
  if #step.item > LONG then
    return greedy_of_many(step, follow)
  end
  local run, least = "^" .. step.item .. "*", step.least
  return function(at)
    local _, last = find(subject, run, at)
    for place = last + 1, at + least, -1 do
      local stop = follow(place)
      if stop then
        return stop
      end
    end
  end
end


function make.lazy(step, follow)
  local set = step.set
  return function(at)
    while true do
      local stop = follow(at)
      if stop then
        return stop
      elseif not set[byte(subject, at)] then
        return nil
      end
      at = at + 1
    end
  end
end


function make.optional(step, follow)
  local set = step.set
  return function(at)
    return set[byte(subject, at)] and follow(at + 1) or follow(at)
  end
end


function make.open(step, follow)
  local n, kind = step.n, step.size
  return function(at)
    from[n], size[n] = at, kind
    return follow(at)
  end
end


function make.close(step, follow)
  local n = step.n
  return function(at)
    local before = size[n]
    size[n] = at - from[n]
    local stop = follow(at)
    if not stop then
      size[n] = before
    end
    return stop
  end
end


function make.balance(step, follow)
  local left, right = step.left, step.right
  return function(at)
    if byte(subject, at) ~= left then
      return nil
    end
    local depth = 1
    for place = at + 1, length do
      local code = byte(subject, place)
      if code == right then
        depth = depth - 1
        if depth == 0 then
          return follow(place + 1)
        end
      elseif code == left then
        depth = depth + 1
      end
    end
  end
end


function make.frontier(step, follow)
  local set = step.set
  return function(at)
    if not set[at > 1 and byte(subject, at - 1) or 0] and set[byte(subject, at) or 0] then
      return follow(at)
    end
  end
end


function make.again(step, follow)
  local n = step.n
  return function(at)
    local long = size[n]
    if long ~= POSITION and at + long - 1 <= length
      and sub(subject, from[n], from[n] + long - 1) == sub(subject, at, at + long - 1) then
      return follow(at + long)
    end
  end
end


function make.refuse(step)
  return function()
    patterns.fail(step.message)
  end
end


make["end"] = function()
  return function(at)
    return at > length and at or nil
  end
end


local function anywhere(at)
  return at
end


local function chain(steps)
  local follow = anywhere
  for i = #steps, 1, -1 do
    follow = make[steps[i].kind](steps[i], follow)
  end
  return follow
end


--- The program of a pattern. `caret` tells whether "^" at its start is an anchor; in `gmatch` it is not.
function patterns.compile(pattern, caret)
  local key = caret and pattern or "\0" .. pattern
  local program = programs[key]
  if program then
    return program
  end
  local anchored = caret and byte(pattern) == NOT
  local steps, captures, faulty = read(pattern, anchored and 2 or 1)
  local power, factor = prelude.weighing.of(steps, anchored)
  local first = not anchored and steps[1]
  program = {
    steps = steps, anchored = anchored, captures = captures, power = power, factor = factor, match = nil, faulty = faulty,
    first = first and (first.kind == "single" or first.kind == "greedy" and first.least == 1) and first.item ~= "^"
      and #first.item <= LONG and first.item .. "()" or nil,
  }
  if #pattern <= LONGEST_KEPT then
    if kept >= KEPT then
      programs, kept = {}, 0
    end
    programs[key] = program
    kept = kept + 1
  end
  return program
end


--- Where `program` matches `text` from place `init` on: first and last place of the match; nil where it does not.
function patterns.search(program, text, init)
  subject, length = text, #text
  local match = program.match
  if not match then
    match = chain(program.steps)
    program.match = match
  end
  local first, at = program.first, init
  while at <= length + 1 do
    if first then
      at = find(subject, first, at)
      if not at then
        return nil
      end
    end
    local stop = match(at)
    if stop then
      return at, stop - 1
    elseif program.anchored then
      return nil
    end
    at = at + 1
  end
end


--- What capture `n` of the last match of `program` is; the whole match where it has none.
function patterns.capture(program, n, first, last)
  if n > program.captures then
    if n == 1 then
      return sub(subject, first, last)
    end
    patterns.fail(format("invalid capture index %%%d", n))
  end
  local long = size[n]
  if long == OPEN then
    patterns.fail("unfinished capture")
  elseif long == POSITION then
    return from[n]
  end
  return sub(subject, from[n], from[n] + long - 1)
end


--- All captures of the last match from number `n` on.
function patterns.captures(program, first, last, n)
  n = n or 1
  if n < program.captures then
    return patterns.capture(program, n, first, last), patterns.captures(program, first, last, n + 1)
  elseif n == program.captures or n == 1 then
    return patterns.capture(program, n, first, last)
  end
end


return patterns
