---@meta

--- How entities talk: events to all, mail to one, requests with an answer. Payloads are plain data, always a copy.
---@class tidelock.bus
bus = {}

--- Call `fn(event)` for every event of this name; a name ending in ".*" hears the whole family.
---@param name tidelock.EventName
---@param fn async fun(event: Event)
---@param options? { coalesce: "last" } one call per frame, with the last event
---@return Subscription
function bus.on(name, fn, options) end

--- Call `fn(event)` for the next such event only.
---@param name tidelock.EventName
---@param fn async fun(event: Event)
---@param options? { coalesce: "last" } the last such event of the frame
---@return Subscription
function bus.once(name, fn, options) end

--- Tell everybody who listens.
---@param name tidelock.EventName
---@param payload? tidelock.Plain
function bus.emit(name, payload) end

--- Tell one entity: its `bus.on` of that name, else its hook `on_event`.
---@param id integer
---@param name tidelock.EventName
---@param payload? tidelock.Plain
function bus.send(id, name, payload) end

--- Ask one entity and wait for its answer; an error after `timeout` seconds, and where nobody can answer.
---@async
---@param id integer
---@param name tidelock.EventName
---@param payload? tidelock.Plain
---@param timeout? number
---@return any reply
function bus.request(id, name, payload, timeout) end

--- Answer requests of this name with what `fn(event)` returns.
---@param name tidelock.EventName
---@param fn async fun(event: Event): any
function bus.handle(name, fn) end

---@class Event
---@field name string
---@field payload any a copy of your own
---@field sender integer the id of the entity that sent it; nil where the game did

---@class Subscription
---@field active boolean
local Subscription = {}

--- Stop listening; twice does nothing.
function Subscription:cancel() end

--- What may cross between entities: no functions, no threads, no metatables, no cycles.
---@alias tidelock.Plain nil|boolean|number|string|table
