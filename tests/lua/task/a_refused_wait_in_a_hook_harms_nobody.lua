-- A hook of every frame that catches the error of a wait goes on, and so do the handlers and tasks after it.
-- row: C11
local script = {}


function script:start()
  self.rounds = 0
  bus.on("again", function(event) print("heard", event.payload) end)
  task.every(0.25, function() print("every") end)
end


function script:late_update()
  self.rounds = self.rounds + 1
  local ok = pcall(wait, 1)
  print("late", self.rounds, ok)
  if self.rounds < 3 then
    bus.emit("again", self.rounds)
  else
    entity.destroy()
  end
end


function script:final()
  print("final")
end


return script

--> 1 | every
--> 1 | late 1 false
--> 2 | heard 1
--> 2 | every
--> 2 | late 2 false
--> 3 | heard 2
--> 3 | every
--> 3 | late 3 false
--> 3 | final
