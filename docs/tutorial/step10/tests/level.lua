-- tests/level.lua: a game from its first word to the last lantern.

test "skipping the story starts the wind" (function()
  entity.spawn("level")
  wait(1)
  expect(entity.find("gust")).is({})

  sim.press("use")
  wait(0.5)

  expect(#entity.find("gust")).is(1)
  expect(entity.find("intro")).is({})
end)


test "sparks come, but never more than three" (function()
  entity.spawn("level")
  wait(60)

  expect(#entity.find("spark")).is(3)
end)
