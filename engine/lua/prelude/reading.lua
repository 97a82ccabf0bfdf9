-- Makes values from shapes and their leaves: byte by byte until a shape has come a few times, then with a function made
-- for it.
-- Guarantee: every call makes new tables.

local prelude = ...
local spelling = prelude.later("spelling")

local type, next, tonumber, load, error = type, next, tonumber, load, error
local byte, find, format, gsub, sub = string.byte, string.find, string.format, string.gsub, string.sub
local concat, unpack = table.concat, table.unpack or unpack

local reading = {}

local LEAF, OPEN_MAP, CLOSE_MAP, OPEN_LIST, CLOSE_LIST, INTEGER = byte(".{}[]i", 1, 6)
local LONGEST_SHAPE, COMPILE_AT, MOST_LEAVES = 512, 3, 60
local MAKER_WEIGHT, MOST_WEIGHT = 512, 1024 * 1024

-- shape -> function(leaf, ...) that makes a value; and how many leaves it takes, false for a shape without a maker.
local makers, arity = {}, {}
local seen, weight = {}, 0
local NONE = {}
local texts = {} -- number -> shape, of those that the world sends by number


-- No payload, and a leaf: never forgotten.
local function remember_leaves()
  for _, shape in next, { "_", 0 } do
    makers[shape], arity[shape] = function() return nil end, 0
  end
  for _, shape in next, { ".", 1 } do
    makers[shape], arity[shape] = function(leaf) return leaf end, 1
  end
end
remember_leaves()

local function read_key(shape, at)
  if byte(shape, at) == INTEGER then
    local _, stop, digits = find(shape, "^i(%-?%d+):", at)
    return tonumber(digits), stop + 1
  end
  local _, stop, digits = find(shape, "^(%d+):", at)
  local last = stop + tonumber(digits)
  return sub(shape, stop + 1, last), last + 1
end


-- How many leaves start at `at` of an array, and where they end in the shape; nil when a table starts there.
local function read_run(shape, at)
  if byte(shape, at) == LEAF then
    return 1, at + 1
  end
  local _, stop, digits = find(shape, "^(%d+)%.", at)
  if digits then
    return tonumber(digits), stop + 1
  end
end


local read_node

local function read_map(shape, at, box, i)
  local map = {}
  while byte(shape, at) ~= CLOSE_MAP do
    local key
    key, at = read_key(shape, at)
    map[key], at, i = read_node(shape, at, box, i)
  end
  return map, at + 1, i
end


local function read_array(shape, at, box, i)
  local array, n = {}, 0
  while byte(shape, at) ~= CLOSE_LIST do
    local run, after = read_run(shape, at)
    if run then
      for place = 1, run do
        array[n + place] = box[i + place - 1]
      end
      n, at, i = n + run, after, i + run
    else
      n = n + 1
      array[n], at, i = read_node(shape, at, box, i)
    end
  end
  return array, at + 1, i
end


function read_node(shape, at, box, i)
  local first = byte(shape, at)
  if first == LEAF then
    return box[i], at + 1, i + 1
  elseif first == OPEN_MAP then
    return read_map(shape, at + 1, box, i)
  elseif first == OPEN_LIST then
    return read_array(shape, at + 1, box, i)
  end
  error("payload: a broken shape", 0)
end




local function write_key(code, shape, at)
  local key
  key, at = read_key(shape, at)
  code[#code + 1] = type(key) == "number" and format("[%d]=", key)
    or '["' .. gsub(key, "[^A-Za-z0-9_]", spelling.escape) .. '"]='
  return at
end


local function write_run(code, leaves, run)
  if leaves + run <= MOST_LEAVES then
    for place = leaves + 1, leaves + run do
      code[#code + 1] = (code.fixed[place] or format("l%d", place)) .. ","
    end
  end
  return leaves + run
end


-- Appends the Lua source of one node to `code`; the next place in the shape and the number of leaves so far.
-- With more than MOST_LEAVES of them the source is not complete.
local function write_node(code, shape, at, leaves)
  local first = byte(shape, at)
  if first == LEAF then
    code[#code + 1] = code.fixed[leaves + 1] or format("l%d", leaves + 1)
    return at + 1, leaves + 1
  end
  code[#code + 1] = "{"
  at = at + 1
  while byte(shape, at) ~= CLOSE_MAP and byte(shape, at) ~= CLOSE_LIST do
    local run, after
    if first == OPEN_LIST then
      run, after = read_run(shape, at)
    end
    if run then
      at, leaves = after, write_run(code, leaves, run)
    else
      at = first == OPEN_MAP and write_key(code, shape, at) or at
      at, leaves = write_node(code, shape, at, leaves)
      code[#code + 1] = ","
    end
  end
  code[#code + 1] = "}"
  return at + 1, leaves
end


-- A function that makes values of this shape from their leaves, and how many it takes; nothing for a shape that is too big
-- for one Lua function. Leaves that are `fixed` it has as literals, by place, and takes the others only.
local function maker_for(shape, fixed)
  local code = { fixed = fixed }
  local _, leaves = write_node(code, shape, 1, 0)
  if leaves > MOST_LEAVES then
    return nil
  end
  local names = {}
  for place = 1, leaves do
    names[#names + 1] = not fixed[place] and "l" .. place or nil
  end
  local chunk = load(format("return function(%s) return %s end", concat(names, ","), concat(code)), "=payload", "t")
  if chunk then
    weight = weight + MAKER_WEIGHT + 32 * #shape
    return chunk(), leaves
  end
end


-- Emptied in place, because `makers` is known elsewhere.
local function forget()
  for shape in next, arity do
    makers[shape], arity[shape] = nil, nil
  end
  seen, texts, weight = {}, {}, 0
  remember_leaves()
end


-- Counts a shape by what stands for it: its text, or its number.
local function count(shape, text)
  local times = seen[shape]
  if not times then
    if weight > MOST_WEIGHT then
      forget()
    end
    weight = weight + #text + 128
    times = 0
  end
  seen[shape] = times + 1
  if times + 1 >= COMPILE_AT then
    makers[shape], arity[shape] = maker_for(text, NONE)
    arity[shape] = arity[shape] or false
  end
end


local function text_of(shape)
  if type(shape) == "string" then
    return shape
  end
  local text = texts[shape]
  if not text then
    local _
    _, text = prelude.entity.ask("shape", 0, shape)
    texts[shape] = text
  end
  return text
end


--- The value of `shape`, a text or its number, with the leaves of `box` from place `i` on, and the place after them.
function reading.decode(shape, box, i)
  local leaves = arity[shape]
  if leaves then
    return makers[shape](unpack(box, i, i + leaves - 1)), i + leaves
  end
  local text = text_of(shape)
  local value, _, last = read_node(text, 1, box, i)
  if leaves == nil and #text <= LONGEST_SHAPE then
    count(shape, text)
  end
  return value, last
end


--- About how many bytes the memory holds.
function reading.cached()
  return weight
end


reading.makers, reading.maker_for = makers, maker_for


return reading
