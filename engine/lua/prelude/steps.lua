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
      local item = sub(pattern, at + 2, stop - 1)
      add({ kind = "frontier", item = item, set = set_of(item) })
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


reader.read, reader.OPEN, reader.POSITION = read, OPEN, POSITION


return reader
