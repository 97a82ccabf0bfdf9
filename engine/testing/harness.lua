-- Runs one test of a file as a task of this entity: `wait` in it is time of the simulated world.

local kit = require("tidelock.sim")

local harness = { clock = "real" } -- a test goes on while the game is paused
local tests, setups, registering = {}, {}, true
local begun -- the name of a test whose function is still to come


local DEEPEST = 4 -- tables in tables that are shown


local function show(value, depth)
  depth = depth or 1
  if type(value) == "string" then
    return string.format("%q", value)
  elseif type(value) ~= "table" then
    return tostring(value)
  elseif depth > DEEPEST then
    return "{...}"
  end
  local parts, names = {}, {}
  for i, field in ipairs(value) do
    parts[i] = show(field, depth + 1)
  end
  for key, field in pairs(value) do
    if type(key) ~= "number" or key < 1 or key > #parts then
      names[#names + 1] = tostring(key) .. " = " .. show(field, depth + 1)
    end
  end
  table.sort(names)
  for _, name in ipairs(names) do
    parts[#parts + 1] = name
  end
  return "{" .. table.concat(parts, ", ") .. "}"
end


-- Where `a` and `b` differ, as ".b[2]", "" for the values themselves; nil where they do not. What stands in
-- `compared` is looked at already: a table may be inside itself.
local function difference(a, b, compared)
  if type(a) ~= "table" or type(b) ~= "table" then
    return a ~= b and "" or nil
  end
  compared = compared or {}
  compared[a] = compared[a] or {}
  if compared[a][b] then
    return nil
  end
  compared[a][b] = true
  local found = {}
  local function add(key, below)
    found[#found + 1] = (type(key) == "string" and "." .. key or "[" .. tostring(key) .. "]") .. below
  end
  for key, value in pairs(a) do
    local below = difference(value, b[key], compared)
    if below then
      add(key, below)
    end
  end
  for key in pairs(b) do
    if a[key] == nil then
      add(key, "")
    end
  end
  table.sort(found)
  return found[1]
end


local function same(a, b)
  return difference(a, b) == nil
end


local Expectation = {}
Expectation.__index = Expectation


function Expectation.is(self, wanted)
  local path = difference(self.value, wanted)
  if path then
    local where = path == "" and "" or "; they differ at " .. path
    error("expected " .. show(wanted) .. ", got " .. show(self.value) .. where, 3)
  end
end


function Expectation.is_not(self, unwanted)
  if same(self.value, unwanted) then
    error("expected anything but " .. show(unwanted), 3)
  end
end


function Expectation.near(self, wanted, tolerance)
  if type(self.value) ~= "number" or math.abs(self.value - wanted) > (tolerance or 1e-6) then
    error("expected about " .. show(wanted) .. ", got " .. show(self.value), 3)
  end
end


function Expectation.contains(self, part)
  local found = type(self.value) == "string" and self.value:find(part, 1, true)
  for _, value in pairs(type(self.value) == "table" and self.value or {}) do
    found = found or same(value, part)
  end
  if not found then
    error("expected " .. show(self.value) .. " to contain " .. show(part), 3)
  end
end


function Expectation.fails(self, part)
  local ok, message = pcall(self.value)
  if ok then
    error("expected an error, but there was none", 3)
  elseif part and not tostring(message):find(part, 1, true) then
    error("expected an error with " .. show(part) .. ", got " .. show(message), 3)
  end
end


local function expect(value)
  local expectation = setmetatable({ value = value }, Expectation)
  local words = {}
  return setmetatable(words, {
    __index = function(_, word)
      local judge = Expectation[word]
      if not judge then
        error("expect: there is no \"" .. tostring(word) .. "\"; there is is, is_not, near, contains and fails", 2)
      end
      return function(wanted, tolerance)
        if rawequal(wanted, words) then
          error("expect: write expect(x)." .. word .. "(...), with a dot", 2)
        end
        judge(expectation, wanted, tolerance) -- no tail call: errors count the levels between
      end
    end,
  })
end


local sim = setmetatable({}, { __index = kit })


function sim.fields(id)
  local fields = kit.fields(id)
  if not fields then
    error(string.format("sim.fields: there is no entity %d; one that was just spawned is there after a wait()", id), 2)
  end
  return fields
end


local function finished()
  if begun then
    error(string.format("test %q has no function: write test %q (function() ... end)", begun, begun), 0)
  end
end


local function test(name, body)
  finished()
  if not registering then
    error("test: a test cannot be inside another one", 2)
  elseif type(name) ~= "string" or name == "" then
    error("test: write test \"what holds\" (function() ... end)", 2)
  end
  begun = name
  local function take(fn)
    if type(fn) ~= "function" then
      error("test: write test \"what holds\" (function() ... end)", 2)
    end
    begun = nil
    tests[#tests + 1] = { name = name, fn = fn }
  end
  if body ~= nil then
    return take(body)
  end
  return take
end


local function before(fn)
  setups[#setups + 1] = fn
end


function harness:start()
  _G.test, _G.expect, _G.sim, _G.before = test, expect, sim, before
  require(self.file)
  finished()
  registering = false
  local chosen = tests[self.run]
  if not chosen then
    local names = {}
    for i, each in ipairs(tests) do
      names[i] = each.name
    end
    kit.collected(names)
    return
  end
  wait() -- into a frame: what a test spawns is there after the next `wait()`
  for _, setup in ipairs(setups) do
    setup()
  end
  chosen.fn()
  kit.passed()
end


return harness
