---@meta

--- Lines for the log, with script and line; tables are shown as what is in them. `print` is `log.info`.
---@class tidelock.log
log = {}

---@param ... any
function log.debug(...) end

---@param ... any
function log.info(...) end

---@param ... any
function log.warn(...) end

---@param ... any
function log.error(...) end
