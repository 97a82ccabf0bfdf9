---@meta

--- This entity and the others. Elsewhere an entity is its id, an integer that is never used again.
---@class tidelock.entity
---@field id integer this entity's id
---@field script tidelock.ScriptName this entity's script
entity = {}

--- Make an entity of `script` at the end of this frame; returns its id now. The properties become fields of its `self`.
---@param script tidelock.ScriptName
---@param properties? table
---@return integer id
function entity.spawn(script, properties) end

--- End an entity, this one without an id, at the end of this frame.
---@param id? integer
function entity.destroy(id) end

--- Ids of the entities of a script or with a tag, ascending.
---@param name tidelock.ScriptName|string
---@return integer[]
function entity.find(name) end

--- True while the entity lives.
---@param id integer
---@return boolean
function entity.exists(id) end

--- Give this entity a tag, for `entity.find`.
---@param name string
function entity.tag(name) end
