---@meta

--- The world's shared data, by keys. Reads are copies.
---@class tidelock.shared
shared = {}

--- A copy of the shared value.
---@param key string
---@return any
function shared.get(key) end

--- Set the shared value; nil removes it.
---@param key string
---@param value tidelock.Plain
function shared.set(key, value) end

--- Call `fn(event)` when the value has changed: at most once per frame, `event.payload` is the last value.
---@param key string
---@param fn async fun(event: Event)
---@return Subscription
function shared.watch(key, fn) end
