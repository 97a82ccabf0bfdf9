---@meta

--- Work beside you whose results you fetch later.
---@class tidelock.async
async = {}

--- Run `fn(...)` beside you, from now to its first wait.
---@param fn async fun(...): any
---@param ... any
---@return Future
function async.start(fn, ...) end

--- Wait for all: futures and functions, under the same keys.
---@async
---@param work table<any, Future|async fun(): any>
---@return table results
function async.all(work) end

--- Wait for the first: futures and functions.
---@async
---@param work table<any, Future|async fun(): any>
---@return any result
---@return any key
function async.race(work) end

--- What `async.start` gives: the results of work that may still go on.
---@class Future
local Future = {}

--- Suspend until it is settled; returns its results or raises its error. Any number of tasks may.
---@async
---@return any ...
function Future:await() end

--- End the work behind it.
function Future:cancel() end

---@return "pending"|"done"|"failed"|"cancelled"
function Future:status() end
