---@meta

--- The world's clock; the same for the whole frame.
---@class tidelock.time
---@field now number seconds of game time
---@field frame integer how many frames have begun
---@field dt number seconds of this frame
time = {}
