-- What luacheck knows about each kind of Lua file here. Every tracked Lua file is checked.

std = "max"
max_line_length = 130
max_comment_line_length = 130

-- What the engine gives to scripts, beside the allowed part of Lua's own library.
stds.tidelock = {
  read_globals = {
    "wait", "task", "bus", "shared", "entity", "log", "time", "async", "tween",
    "input", "sprite", "sound", "camera", "draw",
  },
}

-- Scripts never see these.
local refused = { "io", "os", "debug", "package", "dofile", "loadfile", "collectgarbage" }

-- `self` and the arguments of a hook are part of its signature, used or not.
local game = { std = "lua54+tidelock", not_globals = refused, self = false, unused_args = false }

files["scripts"] = game
files["assets"] = game

-- The prelude meets three versions of Lua, so it may read what only some of them have, and sets no global.
files["engine/lua/prelude"] = { std = "max" }

-- Declarations for editors: they set what the engine gives, and use nothing.
files["engine/testing"] = { std = "lua54+tidelock" }
files["engine/annotations/stubs"] = { std = "max", allow_defined_top = true, unused_args = false, self = false, ignore = { "211", "241", "1.." } }

-- The game that `tidelock new` makes.
files["engine/cli/template"] = game
files["docs/tutorial"] = game

-- A game of another engine, to be measured beside.
files["benchmarks/peers/love"] = { std = "luajit+love" }

-- Tests of games.
local tests = { std = "lua54+tidelock", read_globals = { "test", "before", "expect", "sim" } }
files["engine/cli/template/tests"] = tests
files["docs/tutorial/*/tests"] = tests

-- Tests try what scripts must not do: set globals, change library tables, look for ways out.
files["tests/lua"] = {
  max_comment_line_length = false, -- an error that a script is told stands in one line
  std = "max+tidelock",
  read_globals = { "test", "expect", "check", "fail", "host" },
  allow_defined = true,
  self = false,
  unused_args = false,
  ignore = { "11.", "12.", "14." },
}
