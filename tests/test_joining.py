"""The prelude's files are joined into one chunk, in which what their headers have in common is made once."""

import pytest

from engine.lua.joining import joined
from engine.lua.versions import bare_vm

PRELUDE = b"""
return {
  later = function(name) return { name } end,
  create = function() return {} end,
}
"""
CLOCK = b"""
local prelude = ...
local type, floor = type, math.floor

local clock = { now = 0 }

function clock.kind()
  return type(clock)
end

function clock.whole()
  return floor(2.5)
end

return clock
"""
LAMP = b"""
local prelude = ...
local clock, kind, later = prelude.clock, prelude.clock.kind, prelude.later("lens") -- seen by all
local type, floor, FEW = type, math.floor, 12
local resume = kind

local lamp = {}

function lamp.set(fn)
  resume = fn
end

function lamp.look()
  clock.now = clock.now + FEW
  return clock.now, type(later), floor(1.5), resume()
end

return lamp
"""
TORCH = b"""
local prelude = ...
local clock, kind, later = prelude.clock, prelude.clock.kind, prelude.later("lens")
local resume = kind

local torch = {}

function torch.look()
  return clock.now, resume(), later
end

return torch
"""


@pytest.fixture
def modules(lua):
    """What the joined files make, as functions of their words."""
    texts = {"clock": CLOCK, "lamp": LAMP, "torch": TORCH}
    text = joined(texts, texts, jit=lua == "luajit21")
    vm = bare_vm(lua, 1)
    prelude = vm.execute(PRELUDE)
    vm.compile(b"local prelude = ...\n" + text)(prelude)
    return lambda module, word: prelude[module.encode()][word.encode()]


def test_joined_files_are_modules_that_know_each_other(modules):
    assert modules("lamp", "look")() == (12, b"table", 1, b"table")
    assert modules("clock", "whole")() == 2
    assert modules("torch", "look")()[:2] == (12, b"table")


def test_a_name_that_a_file_gives_another_value_is_its_own(modules):
    modules("lamp", "set")(modules("clock", "whole"))

    assert modules("lamp", "look")()[3] == 2
    assert modules("torch", "look")()[1] == b"table"


def test_what_several_files_make_in_their_headers_is_made_once():
    texts = {"clock": CLOCK, "lamp": LAMP, "torch": TORCH}

    text = joined(texts, texts, jit=False).decode()

    assert text.count("prelude.later") == 1
    assert text.count("math.floor") == 1
    assert text.count("<const>") == 1
    assert text.count("local resume = kind") == 2


def test_a_file_that_comes_later_is_asked_for_where_it_is_used():
    text = b"""
local prelude = ...
local floor, lens = math.floor, prelude.later("lens") -- rare

local lamp = {}

function lamp.look()
  return lens.of(floor(1)), lamp.lens.of
end

return lamp
"""

    made = joined({"lamp": text}, ["lamp"], jit=False).decode()

    assert "later" not in made
    assert "return prelude.lens.of(floor(1)), lamp.lens.of" in made


def test_a_field_that_is_nothing_yet_is_left_out_but_no_name_that_becomes_nothing():
    text = b"local m = {\n  a = nil, -- later\n  b = nil, c = 1,\n}\nfunction m.end_it()\n  m = nil\nend\nreturn m\n"

    made = joined({"m": text}, ["m"], jit=False).decode()

    assert "a = nil" not in made
    assert "b = nil, c = 1" in made
    assert "  m = nil" in made


def test_what_is_for_luajit_is_left_out_elsewhere():
    text = b"local m = {}\n\nif jit then\n  m.fast = true\n\nend\nif not jit then\n  m.slow = true\nend\nreturn m\n"

    assert "m.fast" in joined({"m": text}, ["m"], jit=True).decode()
    assert "m.fast" not in joined({"m": text}, ["m"], jit=False).decode()
    assert "m.slow" in joined({"m": text}, ["m"], jit=False).decode()
