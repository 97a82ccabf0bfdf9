---@meta

--- Suspend the calling task for `seconds` of the world's time, without seconds until the next frame.
--- It wakes in the first frame whose time has come, never earlier. In `update` and the like use `task.spawn`.
---@async
---@param seconds? number
---@return number elapsed the seconds that really passed
function wait(seconds) end

--- Move fields of `target` to `goals` over `seconds`, and wait until that is done.
---@async
---@param target table usually `self`
---@param seconds number
---@param goals table<string, number> for example `{ x = 100, alpha = 0 }`
---@param ease? tidelock.Ease|fun(share: number): number
---@return boolean finished false when newer tweens took over every field
function tween(target, seconds, goals, ease) end

---@alias tidelock.Ease
---| "linear"
---| "in_quad"
---| "out_quad"
---| "in_out_quad"
---| "in_cubic"
---| "out_cubic"
---| "in_out_cubic"
---| "in_quart"
---| "out_quart"
---| "in_out_quart"
---| "in_quint"
---| "out_quint"
---| "in_out_quint"
---| "in_sine"
---| "out_sine"
---| "in_out_sine"
---| "in_expo"
---| "out_expo"
---| "in_out_expo"
---| "in_circ"
---| "out_circ"
---| "in_out_circ"
---| "in_back"
---| "out_back"
---| "in_out_back"
---| "in_elastic"
---| "out_elastic"
---| "in_out_elastic"
---| "in_bounce"
---| "out_bounce"
---| "in_out_bounce"
