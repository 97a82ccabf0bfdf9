-- scripts/hero.lua: you.
local hero = {}

hero.properties = { sprite = "hero" }

return hero
