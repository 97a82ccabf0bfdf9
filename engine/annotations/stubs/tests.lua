---@meta

--- One test: `test "a door closes after two seconds" (function() ... end)`. It runs as a task in a world of its own.
---@param name string
---@return fun(body: async fun())
function test(name) end

--- Run `setup` before each test of this file.
---@param setup async fun()
function before(setup) end

--- What a value must be: `expect(x).is(3)`.
---@param value any
---@return tidelock.Expectation
function expect(value) end

---@class tidelock.Expectation
---@field is fun(wanted: any) equal; tables are compared field by field
---@field is_not fun(unwanted: any)
---@field near fun(wanted: number, tolerance?: number) 1e-6 unless told
---@field contains fun(part: any) a part of a string, or a value of a table
---@field fails fun(message?: string) the value is a function; it must fail with this in its message

--- The simulated world.
---@class tidelock.sim
sim = {}

--- Run the `setup` of main.py: the game begins. What it spawns is there after a `wait()`.
function sim.setup() end

--- A copy of the fields of an entity's `self`, those that are plain data.
---@param id integer
---@return table
function sim.fields(id) end

--- The player presses an action.
---@param action string
function sim.press(action) end

--- The player releases an action.
---@param action string
function sim.release(action) end

--- The player points somewhere.
---@param x number
---@param y number
function sim.point(x, y) end

--- The events of that name so far.
---@param name tidelock.EventName
---@return Event[]
function sim.events(name) end

--- The test goes on in spite of a problem whose message has this in it, and fails without one.
---@param part string
function sim.expect_problem(part) end
