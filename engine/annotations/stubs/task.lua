---@meta

--- Starts and steers tasks: code that waits beside you. The names and meanings are those of Roblox's task library.
---@class tidelock.task
task = {}

--- Run `fn(...)` now, until it first waits; then go on here. A thread that waits for nobody goes on.
---@param fn async fun(...)|thread
---@param ... any
---@return thread
function task.spawn(fn, ...) end

--- Run `fn(...)` later in this frame.
---@param fn async fun(...)|thread
---@param ... any
---@return thread
function task.defer(fn, ...) end

--- Run `fn(...)` in the first frame in which `seconds` have passed, never in this one.
---@param seconds number
---@param fn async fun(...)|thread
---@param ... any
---@return thread
function task.delay(seconds, fn, ...) end

--- The same as the global `wait`.
---@async
---@param seconds? number
---@return number elapsed
function task.wait(seconds) end

--- Call `fn(lateness)` every `seconds` until it returns false. It does not drift; periods missed as a whole are skipped.
---@param seconds number
---@param fn async fun(lateness: number): any
---@return thread
function task.every(seconds, fn) end

--- End a task and run its clean-ups. Cancelling twice, or after its end, does nothing.
---@param thread thread
function task.cancel(thread) end

--- Run `fn` when the calling task ends: done, failed or cancelled.
---@param fn fun()
function task.finally(fn) end

--- The thread of the calling task, also inside a coroutine of your own.
---@return thread
function task.current() end

--- How a task stands; nil for a thread that is no task.
---@param thread thread
---@return "new"|"running"|"waiting"|"parked"|"done"|nil
function task.status(thread) end

--- Suspend the calling task for `n` frames.
---@async
---@param n integer
---@return number elapsed
function task.wait_frames(n) end

--- Suspend until `predicate()` is true, asked once per frame.
---@async
---@param predicate fun(): any
---@param timeout? number
---@return boolean happened false when `timeout` seconds passed first
function task.wait_until(predicate, timeout) end

--- Suspend until the next such event.
---@async
---@param name tidelock.EventName
---@param timeout? number
---@return Event? event nil when `timeout` seconds passed first
function task.wait_event(name, timeout) end

--- Run all functions side by side and wait for all; the first error cancels the others and is raised here.
---@async
---@param functions table<any, async fun(): any>
---@return table results under the same keys
function task.all(functions) end

--- Run all functions side by side until the first has ended; the others are cancelled.
---@async
---@param functions table<any, async fun(): any>
---@return any result
---@return any key
function task.race(functions) end

--- Run `body(g)`, and leave when it and all that `g.spawn` started have ended. An error or a cancel ends them all.
---@async
---@param body async fun(g: tidelock.Group): ...
---@return any ...
function task.group(body) end

---@class tidelock.Group
---@field spawn fun(fn: async fun(...), ...): thread
---@field defer fun(fn: async fun(...), ...): thread
---@field delay fun(seconds: number, fn: async fun(...), ...): thread
---@field cancel fun()
