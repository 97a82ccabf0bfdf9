-- What scripts tell the window, and ask of it: sprite, sound, camera, draw, input. Without a window, too: the commands are
-- recorded by the world, and nothing is held.

local prelude = ...
local scheduler, outbox, entity = prelude.scheduler, prelude.posting, prelude.entity

local error, type, select, next, as_number = error, type, select, next, prelude.screen.as_number
local OPERATION, tray = outbox.OPERATION, outbox.tray
local format = string.format

local window = {}

-- The number of each command; `engine/display.py` has the same.
local COMMANDS = {
  sprite = { play = 1, stop = 2, flash = 3 },
  sound = { play = 4, loop = 5, stop = 6 },
  camera = { follow = 7, move = 8, shake = 9, fade = 10 },
  draw = { text = 11, rect = 12, circle = 13, line = 14, light = 15, say = 16, image = 17 },
}
local LONGEST = 64 -- bytes of a string that goes as it is
local FULL = 14 -- where in the tray the last value may be: what comes behind that is weighed

local input = {}


-- A command with any arguments, as a payload. A tail call: errors blame the caller of whoever calls this.
local function command(module, name, ...)
  local n, args = select("#", ...), { ... }
  while n > 0 and args[n] == nil do
    n = n - 1
  end
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


-- The function of a command. One to five short plain arguments, as nearly every call has, go as they are: they are written
-- behind the end of the outbox, and the end is moved when all of them are seen to be plain. No command has eight.
local function send(module, name, number, a, b, c, d, e, f, g, h)
  local stir = not tray[1] and scheduler.stir
  if stir then
    stir() -- which may put something
  elseif tray[1] and tray[2] > FULL then
    outbox.shut()
  end
  local open = tray[1]
  local list, at = open and tray or outbox.list, (open and tray[2] or outbox.n) + 1
  local n = e ~= nil and 5 or d ~= nil and 4 or c ~= nil and 3 or b ~= nil and 2 or a ~= nil and 1 or 0
  local weight = outbox.weight + OPERATION + 8 * n
  list[at + 1], list[at + 2], list[at + 3], list[at + 4], list[at + 5] = a, b, c, d, e
  for i = at + 1, at + n do
    local kind = type(list[i])
    if kind ~= "number" then
      if kind == "string" and #list[i] <= LONGEST then
        weight = weight + #list[i] - 8
      elseif kind ~= "boolean" then
        return command(module, name, a, b, c, d, e, f, g, h)
      end
    end
  end
  local most = outbox.most
  if n == 0 or f ~= nil or g ~= nil or h ~= nil then
    return command(module, name, a, b, c, d, e, f, g, h)
  elseif most and weight > most then
    error(outbox.full(), 2)
  end
  list[at] = scheduler.current.entity.id * 256 + n * 32 + number
  if open then
    tray[2] = at + n
  else
    outbox.n, outbox.weight = at + n, weight
  end
end


-- The same for who draws three numbers and a colour in every frame, which takes few looks at anything else.
local function sender(module, name, number)
  local four, short = 4 * 32 + number, send -- `short` is the last string that was seen to be
  return function(a, b, c, d, e, f, g, h)
    local list = tray
    local open, at = list[1], list[2]
    if open and at <= 14 and d == short and e == nil and f == nil and g == nil and h == nil
      and a and b and c and as_number(a) == a and as_number(b) == b and as_number(c) == c then
      list[at + 1], list[at + 2], list[at + 3], list[at + 4], list[at + 5] = open + four, a, b, c, d
      list[2] = at + 5
      return
    elseif open and type(d) == "string" and #d <= LONGEST then
      short = d
    end
    return send(module, name, number, a, b, c, d, e, f, g, h)
  end
end


local function ask(word, ...)
  return select(2, entity.ask(word, scheduler.current.entity.id, ...))
end


local function check_action(word, name)
  if type(name) ~= "string" then
    error(format("%s: expected the name of an action, got %s", word, name == nil and "nil" or "a " .. type(name)), 3)
  end
  if not entity.ask then
    error(word .. ": this state has no world, so no player", 3)
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


--- Where the pointer is: in the world, or on the screen.
function input.mouse(where)
  if where ~= nil and where ~= "world" and where ~= "screen" then
    local got = type(where) == "string" and format("%q", where) or "a " .. type(where)
    error("input.mouse: the place must be \"world\" or \"screen\", got " .. got, 2)
  end
  if not entity.ask then
    error("input.mouse: this state has no world, so no player", 2)
  end
  return ask("mouse", where == "screen")
end


--- The library of that name.
function window.library(name)
  if name == "input" then
    return input
  end
  local made = {}
  for word, number in next, COMMANDS[name] do
    made[word] = sender(name, word, number)
  end
  return made
end


return window
