-- scripts/hero.lua: you.
---@class hero: Script
local hero = {}

hero.properties = { sprite = "hero" }

return hero
