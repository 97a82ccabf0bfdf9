-- The opening, told from top to bottom in one task. Any key skips it.
local intro = {}


function intro:start()
  if not self.told then            -- carried over a reload: nobody hears the story twice
    self._story = task.spawn(self.tell, self)
  end
end


local function look(x, y)
  bus.emit("story.look", { x = x, y = y })
end


function intro:tell()
  camera.fade("#0e101e")
  wait()                           -- one frame, until those whom the level spawned are there to listen
  bus.emit("story.begins")
  look(288, 60)
  camera.fade("#0e101e00", 1)
  wait(0.8)
  draw.say("The beacon on the headland is cold, and the boats are still out.")
  wait(2.8)

  look(192, 170)
  wait(0.6)
  draw.say("Wisps rise from the old well. Where one fades, an ember stays.")
  wait(2.8)

  look(270, 140)
  draw.say("Bring five embers to the keeper. He has the key to the gate.")
  wait(2.8)
  self:finish()
end


function intro:finish()
  self.told = true
  camera.fade("#0e101e00", 0.2)
  bus.emit("story.ends")
  draw.say("Arrow keys or WASD: walk.")
end


function intro:on_input(action)
  if action.pressed and not self.told then
    task.cancel(self._story)
    self:finish()
  end
end


return intro
