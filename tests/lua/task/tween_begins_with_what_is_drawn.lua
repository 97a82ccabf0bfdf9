-- A field that was never set starts from what is drawn without it; of any other field the value is asked for.
local script = {}


function script:start()
  tween(self, 1, { alpha = 0, angle = 90, scale = 3 })
  print(self.alpha, self.angle, self.scale)
  print((select(2, pcall(tween, self, 1, { glow = 1 }))))
  print((select(2, pcall(tween, {}, 1, { alpha = 1 }))))
end


return script

--> 4 | 0 90 3
--> 4 | tween: target.glow must be a number, got nil; give it a value to start from
--> 4 | tween: target.alpha must be a number, got nil; give it a value to start from
