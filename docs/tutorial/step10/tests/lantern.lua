-- tests/lantern.lua: what a lantern promises.

local lantern, hero


before(function()
  lantern = entity.spawn("lantern", { x = 0, y = 0, seconds = 20 })
  hero = entity.spawn("hero", { x = 0, y = 10 })
  wait()
end)


test "without a spark a lantern stays dark" (function()
  wait(1)

  expect(sim.fields(lantern).lit).is(false)
end)


test "a spark lights it for twenty seconds" (function()
  bus.send(hero, "spark.found")

  task.wait_event("lantern.lit", 1)
  local began = time.now
  task.wait_event("lantern.out")

  expect(time.now - began).near(20, 0.1)
  expect(sim.fields(hero).sparks).is(0)
end)


test "the wind blows it out" (function()
  bus.send(hero, "spark.found")
  task.wait_event("lantern.lit", 1)

  bus.send(lantern, "gust.blows")
  wait(0.1)

  expect(sim.fields(lantern).lit).is(false)
end)
