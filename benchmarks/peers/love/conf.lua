-- No window and no sound: only Lua and the clock.
function love.conf(t)
  t.console = false
  for _, name in ipairs({
    "audio", "data", "event", "font", "graphics", "image", "joystick", "keyboard", "math", "mouse", "physics",
    "sound", "system", "thread", "touch", "video", "window",
  }) do
    t.modules[name] = false
  end
end
