-- Run with `tidelock test`: seconds of the game take no time here.

test "a lantern goes out after two seconds" (function()
  local lantern = entity.spawn("lantern", { x = 0, y = 0 })
  wait(0.1)

  bus.emit("hero.moved", { x = 5, y = 0 })

  wait(0.1)
  expect(sim.fields(lantern).lit).is(true)
  wait(2)
  expect(sim.fields(lantern).lit).is(false)
end)


test "a lantern stays dark while the hero is far" (function()
  local lantern = entity.spawn("lantern", { x = 0, y = 0 })
  wait(0.1)

  bus.emit("hero.moved", { x = 100, y = 0 })

  wait(0.1)
  expect(sim.fields(lantern).lit).is(false)
end)
