---@meta

--- The world's time under the names that libraries know; nothing else of `os` is here.
---@class tidelock.os
os = {}

--- Seconds of game time.
---@return number
function os.clock() end

--- Whole seconds of game time.
---@return integer
function os.time() end

---@param later number
---@param earlier number
---@return number
function os.difftime(later, earlier) end
