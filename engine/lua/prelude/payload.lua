-- Turns plain data into a shape and its leaves, and back: fast for what has come before, by the rules for the rest.
-- Guarantee: a value is encoded the same whether the memory below knows it or not.
--
-- The memory is a trie of the keys and tables met on the way, in the order of `next`. Its ends know the shape and how to
-- bring the leaves into the shape's order. Whatever it does not know is left to `spelling`.

local prelude = ...
local spelling, reading = prelude.spelling, prelude.reading

local type, next = type, next
local getmetatable = debug.getmetatable
local leaf_size, sorted_keys, spell = spelling.leaf_size, spelling.sorted_keys, spelling.encode

local payload = { decode = reading.decode, makers = reading.makers }

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
  local shape, last, job = spell(value, out, n, limits, word)
  if shape and node and not node[SHAPE] then
    learn(node, shape, job, value, n, leaves_size)
  end
  return shape, last
end


--- Append the leaves of `value` to `out` after place `n`: its shape and the new `n`, or nil and why it was refused.
-- `limits` has `bytes` and `depth`; `word` is what the reason calls the value.
function payload.encode(value, out, n, limits, word)
  if type(value) ~= "table" then
    local shape, last = spell(value, out, n, limits, word)
    return shape, last
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


--- About how many bytes the memory of the encoder and of the decoder hold.
function payload.cached()
  return trie_weight, reading.cached()
end


return payload
