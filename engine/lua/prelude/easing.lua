-- Easing functions by their usual names: "linear", and in_, out_ and in_out_ of each curve ("out_quad").
-- Each maps 0..1 to a path from exactly 0 to exactly 1; "back" and "elastic" leave that range on their way.

local easing = {}

local sin, cos, sqrt, pi = math.sin, math.cos, math.sqrt, math.pi
local pairs, sort = pairs, table.sort

local OVERSHOOT = 1.70158 -- a tenth of the way too far


-- Each begins slowly: the "in" form.
local curves = {
  quad = function(t) return t * t end,
  cubic = function(t) return t * t * t end,
  quart = function(t) return t ^ 4 end,
  quint = function(t) return t ^ 5 end,
  sine = function(t) return 1 - cos(t * pi / 2) end,
  expo = function(t) return 2 ^ (10 * (t - 1)) end,
  circ = function(t) return 1 - sqrt(1 - t * t) end,
  back = function(t) return t * t * ((OVERSHOOT + 1) * t - OVERSHOOT) end,
  elastic = function(t) return -(2 ^ (10 * (t - 1))) * sin((t - 1.075) * 2 * pi / 0.3) end,
}


function curves.bounce(t)
  local u = 1 - t
  if u < 1 / 2.75 then
    return 1 - 7.5625 * u * u
  elseif u < 2 / 2.75 then
    u = u - 1.5 / 2.75
    return 1 - (7.5625 * u * u + 0.75)
  elseif u < 2.5 / 2.75 then
    u = u - 2.25 / 2.75
    return 1 - (7.5625 * u * u + 0.9375)
  end
  u = u - 2.625 / 2.75
  return 1 - (7.5625 * u * u + 0.984375)
end


-- Some curves only come near their ends; a tween starts and ends where it says.
local function exact(fn)
  return function(t)
    if t <= 0 then
      return 0
    elseif t >= 1 then
      return 1
    end
    return fn(t)
  end
end


local by_name = { linear = exact(function(t) return t end) }

for name, curve in pairs(curves) do
  by_name["in_" .. name] = exact(curve)
  by_name["out_" .. name] = exact(function(t)
    return 1 - curve(1 - t)
  end)
  by_name["in_out_" .. name] = exact(function(t)
    if t < 0.5 then
      return curve(2 * t) / 2
    end
    return 1 - curve(2 - 2 * t) / 2
  end)
end

easing.names = { "linear" }
for name in pairs(curves) do
  easing.names[#easing.names + 1] = name
end
sort(easing.names)


--- The function of that name, written with "_" or "-"; nil where there is none.
function easing.of(name)
  return by_name[(name:gsub("-", "_"))]
end


return easing
