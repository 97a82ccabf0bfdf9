-- Random numbers of one entity: the combined generator MRG32k3a of L'Ecuyer (1999), in doubles.
-- Guarantee: the same seed gives the same numbers on every Lua version.

local random = {}

local error, type, tostring = error, type, tostring
local floor, huge, tointeger = math.floor, math.huge, math.tointeger

local M1, M2 = 4294967087, 4294944443
local EXACT = 2 ^ 53


--- A generator for `seed`, any finite number.
function random.new(seed)
  local generator = {}
  local value = seed % M2
  for i = 1, 6 do
    value = (value * 69069 + 12345 * i + 1) % M2
    generator[i] = value % (M2 - 1) + 1
  end
  for _ = 1, 8 do
    random.next(generator)
  end
  return generator
end


-- The next integer in 0 .. M1 - 1. All products stay below 2^53, so doubles are exact.
local function draw(g)
  local p1 = (1403580.0 * g[2] - 810728.0 * g[1]) % M1
  g[1], g[2], g[3] = g[2], g[3], p1
  local p2 = (527612.0 * g[6] - 1370589.0 * g[4]) % M2
  g[4], g[5], g[6] = g[5], g[6], p2
  return (p1 - p2) % M1
end


--- The next float in [0, 1), with 53 random bits.
function random.next(g)
  return (floor(draw(g) / 32) % 67108864 * 134217728 + floor(draw(g) / 16) % 134217728) / EXACT
end


local function whole(value)
  if tointeger then
    return tointeger(value)
  end
  return value
end


-- `math.random` is a tail call of `draw`, so the script stands right above that.
local function check_whole(value, n)
  if type(value) ~= "number" then
    error("bad argument #" .. n .. " to 'random' (number expected, got "
      .. (value == nil and "no value" or type(value)) .. ")", 3)
  elseif value ~= floor(value) or value == huge or value == -huge then
    error("bad argument #" .. n .. " to 'random' (number has no integer representation)", 3)
  end
end


--- What `math.random` gives: a float without arguments, else an integer in low .. high.
function random.draw(g, low, high)
  local position = 2
  if low == nil then
    return random.next(g)
  elseif high == nil then
    low, high, position = 1, low, 1
    check_whole(high, 1)
  else
    check_whole(low, 1)
    check_whole(high, 2)
  end
  if low > high then
    error("bad argument #" .. position .. " to 'random' (interval is empty)", 2)
  elseif high * 1.0 - low >= EXACT then -- as floats: the difference of two integers may be none
    error("math.random: the interval " .. tostring(low) .. " .. " .. tostring(high) .. " is wider than 2^53", 2)
  end
  return whole(low + floor(random.next(g) * (high - low + 1)))
end


return random
