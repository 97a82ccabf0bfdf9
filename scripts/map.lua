-- The lie of the land, and where one can walk. A library: scripts get it with `require`.
--
-- One letter is one tile of 16 pixels; assets/make.py paints the ground from the same letters.
--   . grass   , flowers   = path   s sand   p pier      can be walked on
--   T tree   H house   # wall   B tower   r rock   W well   D gate   ~ sea      stop you

local map = {}

map.tile = 16

map.rows = {
  "TTTTTTTTTTTTTTTTTTTTTT~~~~~~~~",
  "TTTTTTTTTTTTTT########~~~~~~~~",
  "TTT..T..TT.TT.#......#rs~~~~~~",
  "TT..........T.#......#.s~~~~~~",
  "T..HHHH.......#..BB..#.ss~~~~~",
  "TT.HHHH..,....#..BB..#..s~~~~~",
  "T..HHHH....T..#..==..#,.ss~~~~",
  "TT...=....,...###DD###...ss~~~",
  "T..,.====........==.....,.ss~~",
  "TT..,...===..,..===...r..,.ss~",
  "TT..T.....=========......,.sss",
  "TTT.....,...W..==.....T....s~~",
  "TTTT.,.........==..,......s~~~",
  "TTTTT..T..ss...==....sssss~~~~",
  "TTTTTTssssssssspp.ssss~~~~~~~~",
  "TTsssss~~~~~~~~pp~~~~~~~~~~~~~",
  "~~~~~~~~~~~~~~~pp~~~~~~~~~~~~~",
}

map.width = #map.rows[1] * map.tile
map.height = #map.rows * map.tile

local walkable = { ["."] = true, [","] = true, ["="] = true, ["s"] = true, ["p"] = true }


local function cell(x, y)
  return math.floor(x / map.tile), math.floor(y / map.tile)
end


--- The letter of the tile at a point, or nil outside the map.
function map.at(x, y)
  local column, row = cell(x, y)
  local letters = map.rows[row + 1]
  if letters and column >= 0 and column < #letters then
    return letters:sub(column + 1, column + 1)
  end
end


-- Every entity has a copy of this library in its own state; which gates are open, all must know.
local function gate(x, y)
  local column, row = cell(x, y)
  return "gate " .. column .. "," .. row
end


--- Let people through the gate at a point, or not.
function map.open(x, y, is_open)
  shared.set(gate(x, y), is_open)
end


--- Whether somebody's feet may be at a point.
function map.free(x, y)
  local letter = map.at(x, y)
  if letter == "D" then
    return shared.get(gate(x, y)) or false
  end
  return walkable[letter] or false
end


--- Move `body` (anything with x and y) and slide along what is in the way; out of a wall one may always walk.
function map.move(body, dx, dy)
  local feet = body.y + 6
  local stuck = not map.free(body.x, feet)
  if stuck or map.free(body.x + dx + (dx > 0 and 4 or -4), feet) then
    body.x = body.x + dx
  end
  if stuck or (map.free(body.x - 3, feet + dy) and map.free(body.x + 3, feet + dy)) then
    body.y = body.y + dy
  end
end


--- Distance between two points.
function map.distance(x1, y1, x2, y2)
  return math.sqrt((x2 - x1) ^ 2 + (y2 - y1) ^ 2)
end


--- The direction from one point to another, one pixel long; straight down where they are the same.
function map.direction(x1, y1, x2, y2)
  local far = map.distance(x1, y1, x2, y2)
  if far == 0 then
    return 0, 1
  end
  return (x2 - x1) / far, (y2 - y1) / far
end


return map
