-- Random numbers of one entity: the combined generator MRG32k3a of L'Ecuyer (1999), in doubles.
-- Guarantee: the same seed gives the same numbers on every Lua version.

local random = {}

local error, type, tostring = error, type, tostring
local floor, huge = math.floor, math.huge
local tointeger = math.tointeger or function() end -- on LuaJIT no number is an integer

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


--- The next float in [0, 1), with 53 random bits: of two numbers in 0 .. M1 - 1.
-- All products stay below 2^53, so doubles are exact; so is `n - n % 32`, and no function has to be called for it.
function random.next(g)
  local a, b, c, d, e, f = g[1], g[2], g[3], g[4], g[5], g[6]
  local p, q = (1403580.0 * b - 810728.0 * a) % M1, (527612.0 * f - 1370589.0 * d) % M2
  local r, s = (1403580.0 * c - 810728.0 * b) % M1, (527612.0 * q - 1370589.0 * e) % M2
  g[1], g[2], g[3], g[4], g[5], g[6] = c, p, r, f, q, s
  local m, n = (p - q) % M1, (r - s) % M1
  return ((m - m % 32) / 32 % 67108864 * 134217728 + (n - n % 16) / 16 % 134217728) / EXACT
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
  if low == nil then
    return random.next(g)
  end
  local position = 2
  if high == nil then
    low, high, position = 1, low, 1
  end
  local first = tointeger(low)
  if first ~= low or tointeger(high) ~= high then
    check_whole(low, 1)
    check_whole(high, position)
  end
  if low > high then
    error("bad argument #" .. position .. " to 'random' (interval is empty)", 2)
  elseif high * 1.0 - low >= EXACT then -- as floats: the difference of two integers may be none
    error("math.random: the interval " .. tostring(low) .. " .. " .. tostring(high) .. " is wider than 2^53", 2)
  end
  return (first or low) + floor(random.next(g) * (high - low + 1))
end


return random
