-- A wait inside the script's own coroutines suspends the whole task, three levels deep, then everything goes on.
-- row: C1
local script = {}


function script:start()
  local by_hand = coroutine.create(function()
    print("by hand waits", wait(0.5))
    return "by hand is over"
  end)
  print(coroutine.resume(by_hand))
  print(coroutine.status(by_hand))

  local three = coroutine.wrap(function()
    local two = coroutine.wrap(function()
      local one = coroutine.wrap(function()
        wait(0.25)
        coroutine.yield("one yields")
        wait(0.25)
        return "one returns"
      end)
      coroutine.yield(one())
      coroutine.yield(one())
      return "two returns"
    end)
    coroutine.yield(two())
    coroutine.yield(two())
    coroutine.yield(two())
    return "three returns"
  end)
  for _ = 1, 4 do
    print(three())
  end

  for value in coroutine.wrap(function() for i = 1, 2 do wait(0.25) coroutine.yield(i) end end) do
    print("iterated", value)
  end
end


return script

--> 2 | by hand waits 0.5
--> 2 | true by hand is over
--> 2 | dead
--> 3 | one yields
--> 4 | one returns
--> 4 | two returns
--> 4 | three returns
--> 5 | iterated 1
--> 6 | iterated 2
