-- What `string.gsub` puts in the place of each match, as Lua's own does.

local prelude = ...
local patterns = prelude.patterns

local find, format, gsub, sub = string.find, string.format, string.gsub, string.sub
local concat, tostring, type = table.concat, tostring, type

local substitution = {}


-- What `replacement` makes of the last match, as `gsub` says.
local function expand(program, replacement, first, last, text)
  return (gsub(replacement, "%%(.?)", function(mark)
    if mark == "%" then
      return "%"
    elseif mark == "0" then
      return sub(text, first, last)
    elseif find(mark, "^%d") then
      local value = patterns.capture(program, mark + 0, first, last)
      return tostring(value)
    end
    patterns.fail("invalid use of '%' in replacement string")
  end))
end


local function replace(program, replacement, kind, first, last, text)
  local value
  if kind == "function" then
    value = replacement(patterns.captures(program, first, last))
  elseif kind == "table" then
    value = replacement[patterns.capture(program, 1, first, last)]
  else
    return expand(program, replacement, first, last, text)
  end
  if not value then
    return sub(text, first, last)
  elseif type(value) ~= "string" and type(value) ~= "number" then
    patterns.fail(format("invalid replacement value (a %s)", type(value)))
  end
  return value
end


--- What `gsub` gives where the matcher has to work: the new text, and how often something was replaced.
function substitution.run(program, text, replacement, most)
  local kind = type(replacement)
  local parts, n, count, at, kept, last_stop = {}, 0, 0, 1, 1, nil
  while count < most do
    local first, last = patterns.search(program, text, at)
    if first and last + 1 == last_stop then
      first, last = patterns.search(program, text, first + 1)
    end
    if not first then
      break
    end
    count = count + 1
    parts[n + 1] = sub(text, kept, first - 1)
    parts[n + 2] = replace(program, replacement, kind, first, last, text)
    n = n + 2
    at, kept, last_stop = last + 1, last + 1, last + 1
    if program.anchored then
      break
    end
  end
  parts[n + 1] = sub(text, kept)
  return concat(parts), count
end


return substitution
