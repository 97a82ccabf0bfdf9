-- Lua's patterns in Lua: the same matches as `string.find`, but every step is an instruction that the budget counts.
-- Guarantee: what the C functions find is found, and what they refuse is refused with the same words.
--
-- A pattern becomes a chain of functions, made from its end: each takes a place in the subject and gives the place after
-- the match, or nothing. One match runs at a time and calls no script, so subject and captures are locals of this file.

local prelude = ...
local script_line = prelude.blame.place

local patterns = {}

local byte, find, sub = string.byte, string.find, string.sub
local error, format, floor = error, string.format, math.floor

local KEPT, LONGEST_KEPT = 200, 400
local LONG, AT_ONCE = 64, 16 -- bytes of a set that is long; bytes of one that Lua asks in the time of a step
local read, OPEN, POSITION = prelude.steps.read, prelude.steps.OPEN, prelude.steps.POSITION
local NOT = byte("^")

local subject, length = "", 0
local from, size = {}, {} -- of the captures: where each starts, how long it is (or OPEN, POSITION)

local programs, kept = {}, 0


--- Raise `message` at the script's line.
function patterns.fail(message)
  error(script_line() .. message, 0)
end


local function single(set, follow)
  return function(at)
    if set[byte(subject, at)] then
      return follow(at + 1)
    end
  end
end


-- Lua asks each byte of a long set, for each of the subject: the loop is counted.
local function greedy_of_many(set, least, follow)
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


local function greedy(item, least, follow)
  local run = "^" .. item .. "*"
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


local function lazy(set, follow)
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


local function optional(set, follow)
  return function(at)
    return set[byte(subject, at)] and follow(at + 1) or follow(at)
  end
end


local function open(n, kind, follow)
  return function(at)
    from[n], size[n] = at, kind
    return follow(at)
  end
end


local function close(n, follow)
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


local function balance(left, right, follow)
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


local function frontier(set, follow)
  return function(at)
    if not set[at > 1 and byte(subject, at - 1) or 0] and set[byte(subject, at) or 0] then
      return follow(at)
    end
  end
end


local function again(n, follow)
  return function(at)
    local long = size[n]
    if long ~= POSITION and at + long - 1 <= length
      and sub(subject, from[n], from[n] + long - 1) == sub(subject, at, at + long - 1) then
      return follow(at + long)
    end
  end
end


local function refuse(message)
  return function()
    patterns.fail(message)
  end
end


local function at_end(at)
  return at > length and at or nil
end


local function anywhere(at)
  return at
end


local MAKERS = {
  single = function(step, follow) return single(step.set, follow) end,
  greedy = function(step, follow)
    if #step.item > LONG then
      return greedy_of_many(step.set, step.least, follow)
    end
    return greedy(step.item, step.least, follow)
  end,
  lazy = function(step, follow) return lazy(step.set, follow) end,
  optional = function(step, follow) return optional(step.set, follow) end,
  open = function(step, follow) return open(step.n, step.size, follow) end,
  close = function(step, follow) return close(step.n, follow) end,
  balance = function(step, follow) return balance(step.left, step.right, follow) end,
  frontier = function(step, follow) return frontier(step.set, follow) end,
  again = function(step, follow) return again(step.n, follow) end,
  refuse = function(step) return refuse(step.message) end,
  ["end"] = function() return at_end end,
}


local function chain(steps)
  local follow = anywhere
  for i = #steps, 1, -1 do
    follow = MAKERS[steps[i].kind](steps[i], follow)
  end
  return follow
end


local function overlap(a, b)
  for code = 0, 255 do
    if a[code] and b[code] then
      return true
    end
  end
  return false
end


-- True when what follows step `i` can begin with what the step repeats, so that giving back makes new ways to go on.
local function ambiguous(steps, i)
  local set = steps[i].set
  for k = i + 1, #steps do
    local step = steps[k]
    local kind = step.kind
    if kind == "end" then
      return false
    elseif kind == "again" or kind == "refuse" then
      return true
    elseif kind ~= "open" and kind ~= "close" and kind ~= "frontier" then
      if overlap(set, step.set) then
        return true
      elseif kind == "single" or kind == "balance" or (kind == "greedy" and step.least == 1) then
        return false
      end
    end
  end
  return false -- the rest matches anything, so nothing is ever given back
end


-- How the time that the C functions may need grows: `power` of the subject's length, times `factor`.
local function weigh(steps, anchored)
  local power, factor, repeats = anchored and 0 or 1, #steps + 1, 0
  for i = 1, #steps do
    local kind, item = steps[i].kind, steps[i].item
    factor = factor + (item and floor(#item / AT_ONCE) or 0)
    if kind == "greedy" or kind == "lazy" then
      repeats = 1
      power = power + (ambiguous(steps, i) and 1 or 0)
    elseif kind == "balance" or kind == "again" then
      repeats = 1
    elseif kind == "optional" and ambiguous(steps, i) then
      factor = factor * 2
    end
  end
  return power + repeats, factor
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
  local power, factor = weigh(steps, anchored)
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
