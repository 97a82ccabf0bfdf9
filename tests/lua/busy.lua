-- Does a bit of everything, as its chance has it, and has nothing to do with other entities: what it prints must be the same
-- in whatever state it lives.
local busy = {}

local me, names, tasks, futures = nil, {}, {}, {}
local depth = 0


local function roll(n)
  return math.random(n)
end


local function any(list)
  return list[roll(#list + 1)]
end


local deed


local function work(name)
  return function()
    if depth > 20 then
      return name
    end
    depth = depth + 1
    task.finally(function() print("ends", name) end)
    for _ = 1, roll(3) do
      deed()
      if roll(3) == 1 then
        wait(roll(5) * 0.05)
      end
    end
    depth = depth - 1
    if roll(12) == 1 then
      error("fails")
    end
    return name
  end
end


local function hear(word)
  return function(event)
    print(word, event.name, event.payload)
    if roll(4) == 1 then
      deed()
    end
  end
end


local deeds = {
  function() bus.emit(names[roll(2)], roll(9)) end,
  function() bus.send(entity.id, names[roll(2)], roll(9)) end,
  function() print("asked", (pcall(bus.request, entity.id, "ask", roll(9), roll(4) * 0.1))) end,
  function() bus.on(names[roll(3)], hear("hears"), roll(3) == 1 and { coalesce = "last" } or nil) end,
  function() bus.once(names[roll(3)], hear("once")) end,
  function() print("came", (task.wait_event(names[roll(3)], roll(5) * 0.1) or {}).payload) end,
  function() shared.set(names[1], roll(9)) end,
  function() shared.watch(names[1], hear("sees")) end,
  function() tasks[#tasks + 1] = task.spawn(work("spawned")) end,
  function() tasks[#tasks + 1] = task.defer(work("deferred")) end,
  function() tasks[#tasks + 1] = task.delay(roll(6) * 0.05, work("delayed")) end,
  function() task.every(roll(4) * 0.1, function(late) print("every", late > 0) return roll(3) > 1 end) end,
  function() local thread = any(tasks) if thread then task.cancel(thread) end end,
  function() local thread = any(tasks) if thread then print("woken", (pcall(task.spawn, thread))) end end,
  function() print("group", pcall(task.group, function(g) g.spawn(work("child")) g.delay(0.1, work("late child")) end)) end,
  function() print("race", pcall(task.race, { work("one"), function() wait(0.2) return "two" end })) end,
  function() futures[#futures + 1] = async.start(work("beside")) end,
  function() local future = any(futures) if future then print("awaits", pcall(future.await, future)) end end,
  function() local future = any(futures) if future then future:cancel() end end,
  function() me.x, me.y = roll(99), roll(99) end,
  function() print("moved", tween(me, roll(3) * 0.1 - 0.1, { x = roll(50) })) end,
  function() print("frames", task.wait_frames(roll(3))) end,
  function() print("inner", coroutine.wrap(function() deed() coroutine.yield(1) end)()) end,
  function() print("until", task.wait_until(function() return roll(3) == 1 end, 0.2)) end,
  function() if roll(20) == 1 then entity.destroy() end end,
  function() wait() end,
}


function deed()
  local number = roll(#deeds)
  local ok = pcall(deeds[number])
  print(number, ok)
end


function busy:start()
  me = self
  self.x, self.y = 0, 0
  names = { "a" .. entity.id .. ".b", "c" .. entity.id, "a" .. entity.id .. ".*" }
  bus.handle("ask", function(event) deed() return event.payload end)
  for _ = 1, 3 do
    task.spawn(work("first"))
  end
  while true do
    wait()
    if roll(8) == 1 then
      deed()
    end
  end
end


function busy:update()
  if roll(20) == 1 then
    deed()
  end
end


function busy:final()
  print("final")
end


return busy
