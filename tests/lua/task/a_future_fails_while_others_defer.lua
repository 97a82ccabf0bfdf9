-- What is still deferred waits for the next frame; what the end of the tick owes to others does not.
-- row: E11
local script = {}


function script:start()
  local rounds = 0
  local function again()
    rounds = rounds + 1
    if rounds < 100 then
      task.defer(again)
    end
  end
  task.defer(again)
  async.start(function() error("nobody waits") end)
end


return script

--> 0 | ! @:11: task.defer: deferred tasks still defer others after 80 rounds; the rest goes on in the next frame
--> 0 | ! @:15: nobody waits
