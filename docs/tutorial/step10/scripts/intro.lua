-- scripts/intro.lua: tells what this is about; `use` (the space bar) skips it.
---@class intro: Script
local intro = {}


function intro:start()
  bus.emit("story.begins")
  camera.fade("#0b0e1a")
  task.race({
    function() self:tell() end,
    function() task.wait_event("intro.skipped") end,
  })
  draw.say()
  camera.fade("#0b0e1a00", 0.5)
  bus.emit("story.ends")
  entity.destroy()
end


function intro:tell()
  wait(0.5)
  camera.fade("#0b0e1a00", 2)
  draw.say("The night is long, and the lanterns are out.")
  wait(3)
  draw.say("Gather sparks. Light all three at once.")
  wait(3)
end


function intro:on_input(action)
  if action.name == "use" and action.pressed then
    bus.send(entity.id, "intro.skipped")
  end
end


return intro
