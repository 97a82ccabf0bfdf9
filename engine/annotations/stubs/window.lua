---@meta

--- A colour: "#rrggbb", "#rrggbbaa", a name, or three to four numbers from 0 to 255.
---@alias tidelock.Color string|number[]

--- Where a shape stands: in the world, moving as the camera moves, or on the screen.
---@alias tidelock.Where "world"|"screen"

--- Which side of a text is at `x`; "left" unless told.
---@alias tidelock.Align "left"|"center"|"right"

--- This entity's picture. More of it are fields of `self`: sprite, frame, layer, angle, scale, flip, alpha, light, ...
---@class tidelock.sprite
sprite = {}

--- Show the frames of a sheet one after the other, for ever.
---@param sheet string an image's name without its ending
---@param fps? number frames per second, 8 unless told
function sprite.play(sheet, fps) end

--- Stop `sprite.play`.
function sprite.stop() end

--- Cover the picture with a colour for a moment.
---@param color tidelock.Color
---@param seconds? number 0.2 unless told
function sprite.flash(color, seconds) end

--- Sounds, by the names of their files without the ending.
---@class tidelock.sound
sound = {}

--- Play a sound once.
---@param name string
---@param volume? number 0..1
function sound.play(name, volume) end

--- Play a sound for ever.
---@param name string
---@param volume? number 0..1
function sound.loop(name, volume) end

--- Stop a sound, all sounds without a name.
---@param name? string
function sound.stop(name) end

--- What the window looks at.
---@class tidelock.camera
camera = {}

--- Follow an entity, this one without an id.
---@param id? integer
function camera.follow(id) end

--- Look at a place.
---@param x number
---@param y number
function camera.move(x, y) end

--- Tremble.
---@param amount number pixels
---@param seconds? number 0.3 unless told
function camera.shake(amount, seconds) end

--- Cover the picture with a colour within `seconds`; a clear one, or none, uncovers it.
---@param color? tidelock.Color
---@param seconds? number at once unless told
function camera.fade(color, seconds) end

--- Shapes and texts for this frame; draw them in `update` or `late_update`.
---@class tidelock.draw
draw = {}

---@param text string|number
---@param x number
---@param y number
---@param color? tidelock.Color
---@param where? tidelock.Where
---@param align? tidelock.Align
---@overload fun(text: string|number, x: number, y: number, color: tidelock.Color, align: tidelock.Align)
function draw.text(text, x, y, color, where, align) end

--- An image of assets/ with its upper left corner at `x`, `y`; of a sheet, the picture `frame`.
---@param image string an image's name without its ending
---@param x number
---@param y number
---@param frame? integer from 0
---@param where? tidelock.Where
---@overload fun(image: string, x: number, y: number, where: tidelock.Where)
function draw.image(image, x, y, frame, where) end

---@param x number
---@param y number
---@param w number
---@param h number
---@param color? tidelock.Color
---@param where? tidelock.Where
function draw.rect(x, y, w, h, color, where) end

---@param x number
---@param y number
---@param r number
---@param color? tidelock.Color
---@param where? tidelock.Where
function draw.circle(x, y, r, color, where) end

---@param x1 number
---@param y1 number
---@param x2 number
---@param y2 number
---@param color? tidelock.Color
---@param where? tidelock.Where
function draw.line(x1, y1, x2, y2, color, where) end

--- Light a circle of the night.
---@param x number
---@param y number
---@param radius number
---@param color? tidelock.Color
function draw.light(x, y, radius, color) end

--- A line of text at the bottom of the window, until `draw.say()` or for four seconds.
---@param text? string
function draw.say(text) end
