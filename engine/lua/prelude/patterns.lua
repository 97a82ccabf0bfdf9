-- Lua's patterns in Lua: the same matches as `string.find`, but every step is an instruction that the budget counts.
-- Guarantee: what the C functions find is found, and what they refuse is refused with the same words.
--
-- A pattern becomes a chain of functions, made from its end: each takes a place in the subject and gives the place after
-- the match, or nothing. One match runs at a time and calls no script, so subject and captures are locals of this file.

local prelude = ...
local script_line = prelude.budget.place

local patterns = {}

local byte, char, find, sub = string.byte, string.char, string.find, string.sub
local error, format = error, string.format

local MOST_CAPTURES, MOST_NESTED = 32, 190
local KEPT, LONGEST_KEPT = 200, 400
local OPEN, POSITION = -1, -2
local ESCAPE, ZERO, NINE = byte("%09", 1, 3)
local SET, NOT = byte("[^", 1, 2)
local STAR, PLUS, LAZY, MAYBE = byte("*+-?", 1, 4)
local BRACE, CLOSE, DOLLAR, BALANCE, FRONTIER = byte("()$bf", 1, 5)

local subject, length = "", 0
local from, size = {}, {} -- of the captures: where each starts, how long it is (or OPEN, POSITION)

local sets, kept_sets = {}, 0
local programs, kept = {}, 0


--- Raise `message` at the script's line.
function patterns.fail(message)
  error(script_line() .. message, 0)
end


-- Which bytes a single item ("%a", "[^x]", "."), asked of Lua itself, matches.
local function set_of(item)
  local set = sets[item]
  if not set then
    set = {}
    local anchored = "^" .. item .. "()" -- a "$" at the end would not be itself
    for code = 0, 255 do
      set[code] = find(char(code), anchored) ~= nil
    end
    if kept_sets >= KEPT then
      sets, kept_sets = {}, 0
    end
    sets[item] = set
    kept_sets = kept_sets + 1
  end
  return set
end


-- The place after the single item at `at`; nil and a message where the pattern is malformed.
local function item_end(pattern, at)
  local first = byte(pattern, at)
  if first == ESCAPE then
    if at >= #pattern then
      return nil, "malformed pattern (ends with '%')"
    end
    return at + 2
  elseif first ~= SET then
    return at + 1
  end
  local p = byte(pattern, at + 1) == NOT and at + 2 or at + 1
  repeat
    if p > #pattern then
      return nil, "malformed pattern (missing ']')"
    end
    local escaped = byte(pattern, p) == ESCAPE and p < #pattern
    p = p + (escaped and 2 or 1)
  until byte(pattern, p) == 93
  return p + 1
end


local function single(set, follow)
  return function(at)
    if set[byte(subject, at)] then
      return follow(at + 1)
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


-- Reads a pattern into a list of steps; each has what makes its function, and what the weighing looks at.
local function read(pattern, at)
  local steps, n, captures, unclosed, nested = {}, 0, 0, {}, 0
  local function add(step)
    n = n + 1
    steps[n] = step
  end
  local function fail(message)
    add({ kind = "refuse", message = message })
    return steps, captures, true
  end
  while at <= #pattern do
    local first, second = byte(pattern, at, at + 1)
    if first == BRACE then
      if captures >= MOST_CAPTURES then
        return fail("too many captures")
      end
      captures, nested = captures + 1, nested + 1
      if second == CLOSE then
        add({ kind = "open", n = captures, size = POSITION })
        at = at + 2
      else
        add({ kind = "open", n = captures, size = OPEN })
        unclosed[#unclosed + 1] = captures
        at = at + 1
      end
    elseif first == CLOSE then
      if #unclosed == 0 then
        return fail("invalid pattern capture")
      end
      add({ kind = "close", n = unclosed[#unclosed] })
      unclosed[#unclosed] = nil
      at, nested = at + 1, nested + 1
    elseif first == DOLLAR and at == #pattern then
      add({ kind = "end" })
      at = at + 1
    elseif first == ESCAPE and second == BALANCE then
      if at + 3 > #pattern then
        return fail("malformed pattern (missing arguments to '%b')")
      end
      local left, right = byte(pattern, at + 2, at + 3)
      add({ kind = "balance", left = left, right = right, set = { [left] = true } })
      at = at + 4
    elseif first == ESCAPE and second == FRONTIER then
      if byte(pattern, at + 2) ~= SET then
        return fail("missing '[' after '%f' in pattern")
      end
      local stop, message = item_end(pattern, at + 2)
      if not stop then
        return fail(message)
      end
      add({ kind = "frontier", set = set_of(sub(pattern, at + 2, stop - 1)) })
      at = stop
    elseif first == ESCAPE and second and second >= ZERO and second <= NINE then
      local index = second - ZERO
      local known = index >= 1 and index <= captures
      for i = 1, #unclosed do
        known = known and unclosed[i] ~= index
      end
      if not known then
        return fail(format("invalid capture index %%%d", index))
      end
      add({ kind = "again", n = index })
      at = at + 2
    else
      local stop, message = item_end(pattern, at)
      if not stop then
        return fail(message)
      end
      local item, mark = sub(pattern, at, stop - 1), byte(pattern, stop)
      local step = { kind = "single", item = item, set = set_of(item) }
      if mark == STAR or mark == PLUS then
        step.kind, step.least = "greedy", mark == PLUS and 1 or 0
      elseif mark == LAZY then
        step.kind = "lazy"
      elseif mark == MAYBE then
        step.kind = "optional"
      end
      nested = nested + (step.kind == "single" and 0 or 1)
      at = step.kind == "single" and stop or stop + 1
      add(step)
    end
    if nested > MOST_NESTED then
      return fail("pattern too complex")
    end
  end
  return steps, captures, #unclosed > 0
end


local MAKERS = {
  single = function(step, follow) return single(step.set, follow) end,
  greedy = function(step, follow) return greedy(step.item, step.least, follow) end,
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
    local kind = steps[i].kind
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
      and first.item .. "()" or nil,
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
