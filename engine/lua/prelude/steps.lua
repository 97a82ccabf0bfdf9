-- Reads Lua's patterns: a pattern becomes a list of steps, which `patterns` makes into functions.
-- Guarantee: what Lua's own functions refuse becomes a step that refuses with the same words.

local reader = {}

local byte, char, find, format, sub = string.byte, string.char, string.find, string.format, string.sub

local MOST_CAPTURES, MOST_NESTED = 32, 190
local KEPT = 200
local OPEN, POSITION = -1, -2 -- sizes of a capture whose end is not known yet, and of one that is a place
local ESCAPE, ZERO, NINE = byte("%09", 1, 3)
local SET, NOT = byte("[^", 1, 2)
local STAR, PLUS, LAZY, MAYBE = byte("*+-?", 1, 4)
local BRACE, CLOSE, DOLLAR, BALANCE, FRONTIER = byte("()$bf", 1, 5)

local sets, kept_sets = {}, 0


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


local function add(job, step)
  job.n = job.n + 1
  job.steps[job.n] = step
end


-- What reads one step each: it gives the place after it; nil and a message where the pattern is wrong.

local function read_open(job, at, second)
  local n = job.captures + 1
  if n > MOST_CAPTURES then
    return nil, "too many captures"
  end
  job.captures, job.nested = n, job.nested + 1
  if second == CLOSE then
    add(job, { kind = "open", n = n, size = POSITION })
    return at + 2
  end
  add(job, { kind = "open", n = n, size = OPEN })
  job.unclosed[#job.unclosed + 1] = n
  return at + 1
end


local function read_close(job, at)
  local unclosed = job.unclosed
  if #unclosed == 0 then
    return nil, "invalid pattern capture"
  end
  add(job, { kind = "close", n = unclosed[#unclosed] })
  unclosed[#unclosed] = nil
  job.nested = job.nested + 1
  return at + 1
end


local function read_balance(job, at)
  if at + 3 > #job.pattern then
    return nil, "malformed pattern (missing arguments to '%b')"
  end
  local left, right = byte(job.pattern, at + 2, at + 3)
  add(job, { kind = "balance", left = left, right = right, set = { [left] = true } })
  return at + 4
end


local function read_frontier(job, at)
  if byte(job.pattern, at + 2) ~= SET then
    return nil, "missing '[' after '%f' in pattern"
  end
  local stop, message = item_end(job.pattern, at + 2)
  if not stop then
    return nil, message
  end
  local item = sub(job.pattern, at + 2, stop - 1)
  add(job, { kind = "frontier", item = item, set = set_of(item) })
  return stop
end


local function read_again(job, at, second)
  local index = second - ZERO
  local known = index >= 1 and index <= job.captures
  for i = 1, #job.unclosed do
    known = known and job.unclosed[i] ~= index
  end
  if not known then
    return nil, format("invalid capture index %%%d", index)
  end
  add(job, { kind = "again", n = index })
  return at + 2
end


local function read_item(job, at)
  local stop, message = item_end(job.pattern, at)
  if not stop then
    return nil, message
  end
  local item, mark = sub(job.pattern, at, stop - 1), byte(job.pattern, stop)
  local step = { kind = "single", item = item, set = set_of(item) }
  add(job, step)
  if mark == STAR or mark == PLUS then
    step.kind, step.least = "greedy", mark == PLUS and 1 or 0
  elseif mark == LAZY then
    step.kind = "lazy"
  elseif mark == MAYBE then
    step.kind = "optional"
  else
    return stop
  end
  job.nested = job.nested + 1
  return stop + 1
end


local function read_step(job, at)
  local first, second = byte(job.pattern, at, at + 1)
  if first == BRACE then
    return read_open(job, at, second)
  elseif first == CLOSE then
    return read_close(job, at)
  elseif first == DOLLAR and at == #job.pattern then
    add(job, { kind = "end" })
    return at + 1
  elseif first == ESCAPE and second == BALANCE then
    return read_balance(job, at)
  elseif first == ESCAPE and second == FRONTIER then
    return read_frontier(job, at)
  elseif first == ESCAPE and second and second >= ZERO and second <= NINE then
    return read_again(job, at, second)
  end
  return read_item(job, at)
end


--- The steps of a pattern from place `at` on, how many captures there are, and whether it is faulty. Each step has what
-- makes its function, and what the weighing looks at.
function reader.read(pattern, at)
  local job = { pattern = pattern, steps = {}, n = 0, captures = 0, unclosed = {}, nested = 0 }
  while at <= #pattern do
    local stop, message = read_step(job, at)
    if stop and job.nested > MOST_NESTED then
      stop, message = nil, "pattern too complex"
    end
    if not stop then
      add(job, { kind = "refuse", message = message })
      return job.steps, job.captures, true
    end
    at = stop
  end
  return job.steps, job.captures, #job.unclosed > 0
end


reader.OPEN, reader.POSITION = OPEN, POSITION


return reader
