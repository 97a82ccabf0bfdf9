-- Errors of `tween` name the field or the easing, at the caller's line.
local script = {}


function script:start()
  local function try(...)
    local args = table.pack(...)
    print((select(2, pcall(function() tween(table.unpack(args, 1, args.n)) end)):gsub(";.*", "")))
  end
  try(nil, 1, { x = 1 })
  try({}, 1, { x = 1 })
  try({ x = 0 }, 1, { x = "far" })
  try({ x = 0 }, -1, { x = 1 })
  try({ x = 0 }, 1, nil)
  try({ x = 0 }, 1, { x = 1 }, "wobbly")
  try({ x = 0 }, 1, { x = 1 }, 7)
  try({ x = 0 }, 1, { x = 1 }, function() end)
end


return script

--> 0 | @:8: tween: expected a table to change, got nil
--> 0 | @:8: tween: target.x must be a number, got nil
--> 0 | @:8: tween: goals.x must be a number, got a string
--> 0 | @:8: tween: seconds must be a number >= 0, got -1
--> 0 | @:8: tween: expected a table of goals such as { x = 10 }, got nil
--> 0 | @:8: tween: there is no easing "wobbly"
--> 0 | @:8: tween: easing must be a name or a function, got a number
--> 1 | @:8: tween: easing must return a number, got nil
