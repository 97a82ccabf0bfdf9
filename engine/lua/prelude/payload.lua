-- Turns plain data into a shape and its leaves, and back.
-- Guarantee: equal tables have the same shape and the same order of leaves, in whatever order their keys were set.
--
--   shape = "_" | node                            "_" is nil and has no leaf
--   node  = "." | "{" pair* "}" | "[" item+ "]"    a leaf, a map (or the empty table), an array
--   pair  = key node                              integer keys first, each kind ascending
--   key   = length ":" bytes | "i" decimal ":"
--   item  = node | count "."                      two or more leaves in a row are always a run
--
-- Size in bytes: a number is 8, a boolean 1, a string its length but at least 1, a table 8; in maps, an integer key
-- is 8 and a string key its length. No payload has more leaves than bytes. `engine/payload.py` counts the same.

local prelude = ... -- luacheck: ignore 211

local type, next, tonumber, tostring = type, next, tonumber, tostring
local load, error = load, error
local math_type, floor = math.type, math.floor
local byte, find, format, gsub, sub = string.byte, string.find, string.format, string.gsub, string.sub
local concat, sort = table.concat, table.sort
-- The debug one looks past `__metatable`, so no script can hide a metatable.
local getmetatable = debug.getmetatable

local payload = {}

-- Deeper tables are refused whatever the limits say: walks recurse, and every Lua has room for this many calls.
local DEEPEST = 128

-- The thorough encoder: sorts keys, knows where it is, says what is wrong.


local function escape(char)
  return format("\\%03d", byte(char))
end


local function path_of(job, level)
  local parts = { job.word }
  for i = 1, level do
    local key = job.path[i]
    if type(key) == "number" then
      parts[i + 1] = format("[%d]", key)
    elseif find(key, "^[A-Za-z_][A-Za-z0-9_]*$") and #key <= 40 then
      parts[i + 1] = "." .. key
    else
      local shown = gsub(sub(key, 1, 40), '[%c"\\]', escape)
      parts[i + 1] = '["' .. shown .. (#key > 40 and '..."]' or '"]')
    end
  end
  return concat(parts)
end


-- `level` tells how many keys of the path lead to the culprit.
local function refuse(job, level, why)
  job.reason = path_of(job, level) .. ": " .. why
  return false
end


local function put(job, part)
  local p = job.p + 1
  job.p = p
  job.parts[p] = part
end


local function pay(job, bytes)
  job.size = job.size + bytes
  return job.size <= job.bytes or refuse(job, 0, format("larger than %.0f bytes", job.bytes))
end


local function leaf_size(value, kind)
  if kind == "number" then
    return 8
  elseif kind == "string" then
    return #value > 0 and #value or 1
  elseif kind == "boolean" then
    return 1
  end
end


-- LuaJIT has one kind of number; there, a whole number that it can tell from its neighbours is an integer.
local function is_integer(key)
  if math_type then
    return math_type(key) == "integer"
  end
  return floor(key) == key and key >= -2^53 and key <= 2^53
end


-- The sorted integer keys and string keys of `t` and their numbers; or nil and a key that is neither; or nil for more
-- than `most` keys, because sorting a million of them is time that no instruction count stops.
local function sorted_keys(t, most)
  local integers, strings, i, s = {}, {}, 0, 0
  for key in next, t do
    local kind = type(key)
    if kind == "string" then
      s = s + 1
      strings[s] = key
    elseif kind == "number" and is_integer(key) then
      i = i + 1
      integers[i] = key + 0 -- makes a -0 of LuaJIT a 0
    else
      return nil, key
    end
    if i + s > most then
      return nil
    end
  end
  if i > 1 then
    sort(integers)
  end
  if s > 1 then
    sort(strings)
  end
  return integers, strings, i, s
end


-- A leaf takes at least one byte, so too many keys, which come here as nil, are too many bytes.
local function refuse_key(job, level, key)
  if key == nil then
    return pay(job, job.bytes)
  end
  local kind = type(key)
  local shown = (kind == "number" or kind == "boolean") and kind .. " " .. tostring(key) or "a " .. kind
  return refuse(job, level, "keys must be strings or integers, got " .. shown)
end


local function put_run(job, run)
  if run > 0 then
    put(job, run > 1 and format("%d.", run) or ".")
  end
  return 0
end


local spell_table

-- True for a leaf, false when refused, nil for a table, which is still to be spelled.
local function take_leaf(job, value, level)
  local kind = type(value)
  if kind == "table" then
    return nil
  end
  local bytes = leaf_size(value, kind)
  if not bytes then
    return refuse(job, level, "a " .. kind .. " cannot leave its state")
  elseif not pay(job, bytes) then
    return false
  end
  job.n = job.n + 1
  job.out[job.n] = value
  return true
end


local function spell_array(job, array, length, level)
  local run = 0
  put(job, "[")
  for i = 1, length do
    job.path[level] = i
    local value = array[i]
    local leaf = take_leaf(job, value, level)
    if leaf then
      run = run + 1
    else
      run = put_run(job, run)
      if leaf == false or not spell_table(job, value, level + 1) then
        return false
      end
    end
  end
  put_run(job, run)
  put(job, "]")
  return true
end


local function spell_pair(job, map, key, level)
  job.path[level] = key
  if type(key) == "string" then
    put(job, format("%d:", #key))
    put(job, key)
  else
    put(job, format("i%d:", key))
  end
  if not pay(job, type(key) == "string" and #key or 8) then
    return false
  end
  local leaf = take_leaf(job, map[key], level)
  if leaf then
    put(job, ".")
    return true
  end
  return leaf == nil and spell_table(job, map[key], level + 1)
end


local function spell_map(job, map, integers, strings, level)
  put(job, "{")
  for i = 1, #integers do
    if not spell_pair(job, map, integers[i], level) then
      return false
    end
  end
  for i = 1, #strings do
    if not spell_pair(job, map, strings[i], level) then
      return false
    end
  end
  put(job, "}")
  return true
end


function spell_table(job, t, level)
  if job.open[t] then
    return refuse(job, level - 1, "a cycle: the table is inside itself")
  elseif getmetatable(t) ~= nil then
    return refuse(job, level - 1, "a table with a metatable cannot leave its state")
  elseif level > job.depth then
    return refuse(job, level - 1, format("more than %d levels of tables", job.depth))
  elseif not pay(job, 8) then
    return false
  end
  local integers, strings, i, s = sorted_keys(t, job.bytes - job.size)
  if not integers then
    return refuse_key(job, level - 1, strings)
  end
  job.levels = level > job.levels and level or job.levels
  job.open[t] = true
  local done
  if i > 0 and s == 0 and integers[1] == 1 and integers[i] == i then
    done = spell_array(job, t, i, level)
  else
    job.sorted = job.sorted or i + s > 1
    done = spell_map(job, t, integers, strings, level)
  end
  job.open[t] = nil
  return done
end


local function new_job(out, n, limits, word)
  return {
    out = out, n = n, parts = {}, p = 0, path = {}, open = {}, size = 0, levels = 0, sorted = false,
    bytes = limits.bytes, depth = limits.depth < DEEPEST and limits.depth or DEEPEST, word = word or "payload",
  }
end


-- Leaves nothing of a refused payload behind; `out` may hold what a fast walk wrote.
local function clear(out, n)
  n = n + 1
  while out[n] ~= nil do
    out[n] = nil
    n = n + 1
  end
end


-- The fast encoder: a trie of the keys and tables met on the way, in the order of `next`. Its ends know the shape
-- and how to bring the leaves into the shape's order. Whatever it does not know is left to the thorough one.

-- Tokens are private tables, so no key of a script can be taken for one.
local MAP, LIST, CLOSE, STEPS, SHAPE, SWAPS, BASE, LEVELS = {}, {}, {}, {}, {}, {}, {}, {}
local MOST_STEPS, LONGEST_KEY, LONGEST_LIST, MOST_LEAVES = 512, 64, 4096, 256
local NODE_WEIGHT, MOST_TRIE_WEIGHT = 128, 512 * 1024

local trie, trie_weight = { [STEPS] = 0 }, 0

local function grow(node, token)
  local steps = node[STEPS] + 1
  if steps > MOST_STEPS then
    return false
  end
  local child = { [STEPS] = steps }
  node[token] = child
  trie_weight = trie_weight + NODE_WEIGHT
  return child
end


local function grow_key(node, key)
  return type(key) == "string" and #key <= LONGEST_KEY and grow(node, key)
end


local function step(node, token)
  return node and (node[token] or grow(node, token))
end


local walk

-- An array whose keys `next` gives in order; any other table with a length is not for the fast walk.
-- An array of leaves only is one token, its length; in others 0 comes first, then runs and tables.
local function walk_list(list, node, out, n, size)
  local i, run, mixed = 0, 0, false
  node = step(node, LIST)
  for key, value in next, list do
    i = i + 1
    if key ~= i then
      return nil
    end
    local kind = type(value)
    if kind == "table" then
      node = mixed and node or step(node, 0)
      node = run > 0 and step(node, run) or node
      if not node then
        return nil
      end
      node, n, size = walk(value, node, out, n, size)
      if not node then
        return nil
      end
      run, mixed = 0, true
    else
      local bytes = leaf_size(value, kind)
      if not bytes then
        return nil
      end
      run, n, size = run + 1, n + 1, size + bytes
      out[n] = value
    end
  end
  if mixed then
    node = run > 0 and step(node, run) or node
    return step(node, CLOSE), n, size
  end
  return step(node, run), n, size
end


-- The node where `t` ends, the new end of `out`, and `size` plus that of the leaves; nil when the trie does not know.
-- A trie has no loops, so a cycle runs out of steps.
function walk(t, node, out, n, size)
  if getmetatable(t) ~= nil then
    return nil
  elseif #t > LONGEST_LIST then
    return nil
  elseif #t > 0 then
    return walk_list(t, node, out, n, size)
  end
  node = node[MAP] or grow(node, MAP)
  if not node then
    return nil
  end
  for key, value in next, t do
    node = node[key] or grow_key(node, key)
    if not node then
      return nil
    end
    local kind = type(value)
    if kind == "table" then
      node, n, size = walk(value, node, out, n, size)
      if not node then
        return nil
      end
    else
      if kind == "string" then
        local length = #value
        size = size + (length > 0 and length or 1)
      elseif kind == "number" then
        size = size + 8
      elseif kind == "boolean" then
        size = size + 1
      else
        return nil
      end
      n = n + 1
      out[n] = value
    end
  end
  return node[CLOSE] or grow(node, CLOSE), n, size
end


-- Numbers the leaves of `value` in the order of `next`; `order` is a tree of the numbers with the keys of `value`.
local function number_leaves(value, last)
  if type(value) ~= "table" then
    return last + 1, last + 1
  end
  local order = {}
  for key, item in next, value do
    order[key], last = number_leaves(item, last)
  end
  return order, last
end


local function flatten(order, from)
  if type(order) == "number" then
    from[#from + 1] = order
    return
  end
  local integers, strings = sorted_keys(order, 1 / 0)
  for i = 1, #integers do
    flatten(order[integers[i]], from)
  end
  for i = 1, #strings do
    flatten(order[strings[i]], from)
  end
end


-- Pairs of places to swap, one pair after the other, that bring leaves from the order of `next` into the shape's.
local function swaps_for(value)
  local from, swaps, at, item = {}, {}, {}, {}
  flatten(number_leaves(value, 0), from)
  for i = 1, #from do
    at[i], item[i] = i, i
  end
  for i = 1, #from do
    local place = at[from[i]]
    if place ~= i then
      swaps[#swaps + 1], swaps[#swaps + 2] = i, place
      local moved = item[i]
      item[place], at[moved] = moved, place
    end
  end
  return #swaps > 0 and swaps or nil
end


local function learn(node, shape, job, value, n, leaves_size)
  if job.sorted and job.n - n > MOST_LEAVES then
    return
  end
  local swaps = job.sorted and swaps_for(value) or nil
  node[SWAPS], node[BASE], node[LEVELS] = swaps, job.size - leaves_size, job.levels
  node[SHAPE] = shape
  trie_weight = trie_weight + #shape + (swaps and 16 * #swaps or 0)
end


local function encode_thoroughly(value, out, n, limits, word, node, leaves_size)
  local job = new_job(out, n, limits, word)
  if not spell_table(job, value, 1) then
    clear(out, n)
    return nil, job.reason
  end
  local shape = concat(job.parts)
  if node and not node[SHAPE] then
    learn(node, shape, job, value, n, leaves_size)
  end
  return shape, job.n
end


local function encode_leaf(value, out, n, limits, word)
  if value == nil then
    return "_", n
  end
  local job = new_job(out, n, limits, word)
  if take_leaf(job, value, 0) then
    return ".", job.n
  end
  return nil, job.reason
end


--- Append the leaves of `value` to `out` after place `n`: its shape and the new `n`, or nil and why it was refused.
-- `limits` has `bytes` and `depth`; `word` is what the reason calls the value.
function payload.encode(value, out, n, limits, word)
  if type(value) ~= "table" then
    return encode_leaf(value, out, n, limits, word)
  end
  if trie_weight > MOST_TRIE_WEIGHT then
    trie, trie_weight = { [STEPS] = 0 }, 0
  end
  local node, last, size = walk(value, trie, out, n, 0)
  local shape = node and node[SHAPE]
  if not shape or size + node[BASE] > limits.bytes or node[LEVELS] > limits.depth then
    return encode_thoroughly(value, out, n, limits, word, node, size)
  end
  local swaps = node[SWAPS]
  if swaps then
    for i = 1, #swaps, 2 do
      local a, b = n + swaps[i], n + swaps[i + 1]
      out[a], out[b] = out[b], out[a]
    end
  end
  return shape, last
end


-- Decoding: reads a shape byte by byte until it has come a few times, then with a function made for it.

local LEAF, OPEN_MAP, CLOSE_MAP, OPEN_LIST, CLOSE_LIST, INTEGER = byte(".{}[]i", 1, 6)
local LONGEST_SHAPE, COMPILE_AT, MOST_BUILDER_LEAVES = 512, 3, 64
local MOST_BUILDER_WEIGHT = 1024 * 1024

local builders, seen, builder_weight = {}, {}, 0

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


local function read(shape, box, i)
  if shape == "_" then
    return nil, i
  end
  local value, _, last = read_node(shape, 1, box, i)
  return value, last
end


local function write_key(code, shape, at)
  local key
  key, at = read_key(shape, at)
  code[#code + 1] = type(key) == "number" and format("[%d]=", key)
    or '["' .. gsub(key, "[^A-Za-z0-9_]", escape) .. '"]='
  return at
end


local function write_run(code, leaves, run)
  if leaves + run <= MOST_BUILDER_LEAVES then
    for place = leaves, leaves + run - 1 do
      code[#code + 1] = format("b[i+%d],", place)
    end
  end
  return leaves + run
end


-- Appends the Lua source of one node to `code`; the next place in the shape and the number of leaves so far.
-- With more than MOST_BUILDER_LEAVES of them the source is not complete.
local function write_node(code, shape, at, leaves)
  local first = byte(shape, at)
  if first == LEAF then
    code[#code + 1] = format("b[i+%d]", leaves)
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


-- A function that makes values of this shape. Shapes too big for one Lua function are read as before.
local function builder_for(shape)
  local code = { "return function(b, i) return " }
  local _, leaves = write_node(code, shape, 1, 0)
  if leaves <= MOST_BUILDER_LEAVES then
    code[#code + 1] = format(", i+%d end", leaves)
    local chunk = load(concat(code), "=payload", "t")
    if chunk then
      builder_weight = builder_weight + 512 + 32 * #shape
      return chunk()
    end
  end
  return function(box, i)
    return read(shape, box, i)
  end
end


local function count(shape)
  local times = seen[shape]
  if not times then
    if builder_weight > MOST_BUILDER_WEIGHT then
      builders, seen, builder_weight = {}, {}, 0
    end
    builder_weight = builder_weight + #shape + NODE_WEIGHT
    times = 0
  end
  seen[shape] = times + 1
  if times + 1 >= COMPILE_AT then
    builders[shape] = builder_for(shape)
  end
end


--- The value of `shape` with the leaves of `box` from place `i` on, and the place after them.
function payload.decode(shape, box, i)
  if #shape > LONGEST_SHAPE or shape == "_" then
    return read(shape, box, i)
  end
  local build = builders[shape]
  if build then
    return build(box, i)
  end
  local value, last = read(shape, box, i)
  count(shape)
  return value, last
end


--- About how many bytes the memory of the encoder and of the decoder hold.
function payload.cached()
  return trie_weight, builder_weight
end


return payload
