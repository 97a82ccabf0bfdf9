-- A tick ends: after many rounds of deferring, the rest goes on in the next frame, and a problem says so.
-- row: C6
local script = {}


function script:start()
  local rounds = 0
  local function again()
    rounds = rounds + 1
    if rounds < 100 then
      task.defer(again)
    else
      print("round", rounds)
    end
  end
  task.defer(again)
end


return script

--> 0 | ! @:11: task.defer: deferred tasks still defer others after 80 rounds; the rest goes on in the next frame
--> 1 | round 100
