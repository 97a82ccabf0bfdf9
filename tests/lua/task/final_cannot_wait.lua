-- `final` says so when it waits: what came after would never run.
-- row: C11
local script = {}


function script:start()
  wait()
  entity.destroy()
end


function script:final(reason)
  print("before", reason)
  wait(1)
  print("after")
end


return script

--> 1 | before destroyed
--> 1 | ! @:14: wait: final cannot wait, as its entity and all tasks of it go now; let another entity do what takes longer
