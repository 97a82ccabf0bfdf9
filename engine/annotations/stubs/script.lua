---@meta

--- What a script returns: a table of hooks, all optional, and its own functions. `self` has its fields too.
---@class Script
---@field properties? table defaults of `self`; what `entity.spawn` gives goes before them
---@field isolation? "entity"|"script" "script" lets all entities of this script share one state
---@field clock? "game"|"real" "real" goes on while the game is paused
---@field x number
---@field y number
---@field sprite string an image's name without its ending
---@field frame integer column of the sheet, from 0
---@field layer number what is drawn later stands in front
---@field angle number degrees
---@field scale number
---@field flip boolean mirrored left to right
---@field alpha number 0..1
---@field visible boolean
---@field text string
---@field color tidelock.Color
---@field [any] any
local Script = {}

--- Once, when the entity is made: make its data.
---@async
function Script:init() end

--- After init, and again after every reload: listen, start tasks.
---@async
function Script:start() end

--- Every frame. It cannot wait.
---@param dt number
function Script:update(dt) end

--- As often as the world's fixed step says, 60 times a second unless told. It cannot wait.
---@param dt number
function Script:fixed_update(dt) end

--- Every frame, after all updates and events. It cannot wait.
---@param dt number
function Script:late_update(dt) end

--- An event that was sent to this entity and that no `bus.on` takes.
---@async
---@param event Event
function Script:on_event(event) end

--- The player pressed or released an action.
---@async
---@param action { name: string, pressed: boolean, x: number, y: number }
function Script:on_input(action) end

--- After a reload, before `start`.
---@async
---@param previous { version: integer, self: table }
function Script:on_reload(previous) end

--- Before the entity goes.
---@param reason string
function Script:final(reason) end
