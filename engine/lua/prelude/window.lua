-- What scripts tell the window, and ask of it: sprite, sound, camera, draw, input. Without a window, too: the commands are
-- recorded by the world, and nothing is held.

local prelude = ...
local scheduler, outbox, entity = prelude.scheduler, prelude.outbox, prelude.entity

local error, type, select, next = error, type, select, next
local format = string.format

local window = {}

local COMMANDS = {
  sprite = { "play", "stop", "flash" },
  sound = { "play", "loop", "stop" },
  camera = { "follow", "move", "shake", "fade" },
  draw = { "text", "rect", "circle", "line", "light", "say" },
}

local input = {}


local function command(module, name)
  return function(...)
    local n = select("#", ...)
    while n > 0 and select(n, ...) == nil do
      n = n - 1
    end
    local args = { ... }
    for i = 1, n do
      if args[i] == nil then
        error(format("%s.%s: argument %d is nil", module, name, i), 2)
      end
    end
    local reason = outbox.put_payload("command", scheduler.current.entity.id, module, name, 0, args, module .. "." .. name)
    if reason then
      error(reason, 2)
    end
  end
end

local function ask(word, ...)
  return select(2, entity.ask(word, scheduler.current.entity.id, ...))
end


local function check_action(word, name)
  if type(name) ~= "string" then
    error(format("%s: expected the name of an action, got %s", word, name == nil and "nil" or "a " .. type(name)), 3)
  end
end


--- True while the action's key is held.
function input.down(name)
  check_action("input.down", name)
  return ask("down", name)
end


--- -1, 0 or 1: which of two actions is held.
function input.axis(negative, positive)
  check_action("input.axis", negative)
  check_action("input.axis", positive)
  local less, more = ask("down", negative), ask("down", positive)
  return (more and 1 or 0) - (less and 1 or 0)
end


--- Where the pointer is, in the world's units.
function input.mouse()
  return ask("mouse")
end


--- The library of that name.
function window.library(name)
  if name == "input" then
    return input
  end
  local made = {}
  for _, word in next, COMMANDS[name] do
    made[word] = command(name, word)
  end
  return made
end


return window
