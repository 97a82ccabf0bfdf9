---@meta

--- What the player does, by the names of actions: left, right, up, down, use, back, click, and those of your game.
---@class tidelock.input
input = {}

--- True while the action is held.
---@param name string
---@return boolean
function input.down(name) end

--- -1, 0 or 1: which of two actions is held.
---@param negative string
---@param positive string
---@return integer
function input.axis(negative, positive) end

--- Where the pointer is: in the world unless told, or on the screen, where `draw` with "screen" draws.
---@param where? tidelock.Where
---@return number x
---@return number y
function input.mouse(where) end
