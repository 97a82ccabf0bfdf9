-- Negative, infinite and NaN durations, and what is no number, are errors at the line that said them.
-- row: C11
local script = {}


function script:start()
  for _, value in ipairs({ -1, 0 / 0, 1 / 0, "x", false, {} }) do
    task.spawn(function()
      local words = { pcall(function() wait(value) end) }
      print((words[2]:gsub("-nan", "nan")))
    end)
  end
  print(select(2, pcall(function() task.delay(-1, print) end)))
  print(select(2, pcall(function() task.every("often", print) end)))
  print(select(2, pcall(function() task.spawn(1) end)))
  print(select(2, pcall(function() task.wait_frames(1.5) end)))
  print(select(2, pcall(function() task.wait_until(1) end)))
  print(select(2, pcall(function() task.finally() end)))
end


return script

--> 0 | @:9: wait: seconds must be a number >= 0, got -1
--> 0 | @:9: wait: seconds must be a number >= 0, got nan
--> 0 | @:9: wait: seconds must be a number >= 0, got inf
--> 0 | @:9: wait: seconds must be a number >= 0, got "x"
--> 0 | @:9: wait: seconds must be a number >= 0, got a boolean
--> 0 | @:9: wait: seconds must be a number >= 0, got a table
--> 0 | @:13: task.delay: seconds must be a number >= 0, got -1
--> 0 | @:14: task.every: seconds must be a number >= 0, got "often"
--> 0 | @:15: task.spawn: expected a function, got a number
--> 0 | @:16: task.wait_frames: expected a whole number >= 1, got 1.5
--> 0 | @:17: task.wait_until: expected a function, got a number
--> 0 | @:18: task.finally: expected a function, got nil
