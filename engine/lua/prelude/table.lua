-- In the place of `table.create`, where Lua has none.

return function()
  return {}
end
