"""Scripts and libraries are compiled once for all states, and what a state runs lies in memory as long as it lives."""

import gc
import sys

import pytest

from engine.lua import bytecode

DOOR = """
local hinge = require "hinge"
local door = {}
function door:update()
  self.x, self.y = (self.x or 0) + hinge.turn(self.id), 0
end
function door:fail()
  return nil .. "!"
end
return door
"""
HINGE = "local hinge = {}\nfunction hinge.turn()\n  return 1\nend\nreturn hinge\n"


@pytest.fixture
def compiled(monkeypatch, lua):
    """The names of the scripts' texts that are compiled from now on."""
    names = []
    real = bytecode._compiler(lua)

    def note(text, name, strip):
        if not name.startswith(b"=[tidelock"):
            names.append(name.decode())
        return real(text, name, strip)

    bytecode.script_code.cache_clear()
    monkeypatch.setattr(bytecode, "_compiler", lambda _: note)
    return names


def test_a_script_and_its_library_are_compiled_once_for_ten_states(make_world, scripts, compiled):
    scripts.write("hinge", HINGE)
    scripts.write("door", DOOR)
    world = make_world(isolation="entity")

    doors = [world.spawn("door") for _ in range(10)]
    world.tick(0.1)

    assert [door.position for door in doors] == [(1, 0)] * 10
    assert sorted(compiled) == ["@scripts/door.lua", "@scripts/hinge.lua"]


def test_a_changed_script_is_compiled_anew(world, scripts, compiled):
    scripts.write("hinge", HINGE)
    scripts.write("door", DOOR)
    door = world.spawn("door")
    world.tick(0.1)

    scripts.write("hinge", HINGE.replace("return 1", "return 5"))
    world.reload("door")
    world.tick(0.1)
    world.tick(0.1)

    assert door.position[0] > 5
    assert compiled.count("@scripts/hinge.lua") == 2


def test_states_run_on_when_what_was_compiled_has_been_forgotten(world, scripts, compiled):
    scripts.write("hinge", HINGE)
    scripts.write("door", DOOR)
    door = world.spawn("door")

    bytecode.script_code.cache_clear()
    gc.collect()
    rubbish = [bytes([value]) * 4096 for value in range(200)]
    for _ in range(10):
        world.tick(0.1)

    assert door.position == (10, 0)
    assert not world.problems
    assert len(rubbish) == 200


def test_a_state_holds_a_library_once_however_many_entities_require_it(make_world, scripts, lua):
    scripts.write("hinge", HINGE)
    scripts.write("door", DOOR)
    world = make_world(isolation="script")
    world.spawn("door")
    code = bytecode.script_code(lua, HINGE.encode(), b"@scripts/hinge.lua")
    holders = sys.getrefcount(code)

    for _ in range(50):
        world.spawn("door")

    assert sys.getrefcount(code) == holders


def test_an_error_in_a_shared_text_names_its_line_and_what_it_did(world, scripts, compiled):
    scripts.write(
        "door", "local door = {}\nfunction door:update()\n  local key = self.key\n  key.turn()\nend\nreturn door\n"
    )
    world.spawn("door")
    world.spawn("door")
    world.tick(0.1)

    (problem,) = world.problems
    assert (problem.script, problem.line, problem.count) == ("scripts/door.lua", 4, 2)
    assert "local 'key'" in problem.message


def test_a_text_that_is_wrong_is_told_as_lua_tells_it(world, scripts, compiled):
    scripts.write("door", "local door = {}\nfunction door:update(\nreturn door\n")
    world.spawn("door")
    world.tick(0.1)

    (problem,) = world.problems
    assert problem.line == 3
    assert "near 'return'" in problem.message
