-- A picture that only stands there: the land, the tree tops. Everything about it is given at `spawn`.
local picture = {}

return picture
