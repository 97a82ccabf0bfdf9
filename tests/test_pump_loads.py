"""The pump is loaded in the midst of a script's life, where the stack or the memory may end: never by halves."""

import pytest

from engine import Limits, World
from engine.lua import chunks, runtime
from engine.lua.bytecode import texts_of
from helpers import run_child


@pytest.fixture
def broken(monkeypatch):
    """The first load of the pump fails, half of it done."""
    whole = chunks.chunk_code

    def chunk_code(lua, files):
        monkeypatch.setattr(runtime, "chunk_code", whole)
        with monkeypatch.context() as patch:
            patch.setattr(
                chunks, "texts_of", lambda names: texts_of(names) | {"tick": b"error('no room')\nreturn nil\n"}
            )
            return whole.__wrapped__(lua, files)

    monkeypatch.setattr(runtime, "chunk_code", chunk_code)


@pytest.mark.parametrize("lua", ["lua55", "lua54"], indirect=True)
def test_after_a_load_that_failed_midway_a_script_is_stopped_at_its_limits(scripts, lua, broken):
    scripts.write("one", "return { start = function() pcall(function() bus.on() end) for i = 1, 3e7 do end end }")
    with World(scripts.path, lua=lua) as world:
        world.spawn("one")

        assert ["stopped after 10,000,000 instructions" in problem.message for problem in world.problems] == [True]


def test_what_comes_with_a_file_may_be_asked_for_before_that_is_loaded(lua):  # by a hook
    vm = runtime.Runtime(lua, 1, Limits.off())
    prelude = vm._prelude
    load = prelude[b"give"](b"waiting")
    prelude[b"turns"][b"seen"] = 1

    load(prelude, prelude[b"give"], b"waiting")

    assert prelude[b"turns"][b"seen"] == 1
    assert prelude[b"several"][b"enlist"] is not None
    assert prelude[b"turns"][b"seen"] == 1


@pytest.mark.parametrize("file", sorted(chunks.TOGETHER))
def test_what_is_loaded_together_asks_for_nothing_that_comes_together_itself(lua, monkeypatch, file):
    asked = []
    monkeypatch.setattr(runtime, "missing", lambda name, used: asked.append(name) or chunks.missing(name, used))
    vm = runtime.Runtime(lua, 1, Limits.off())

    vm.get(file.decode(), "")

    assert [name for name in asked if name in chunks.TOGETHER] == [file]


@pytest.mark.parametrize("lua", ["lua55", "lua54"], indirect=True)
@pytest.mark.parametrize("does", ["bus.emit('said')", "error('no')", "wait() wait(1)"])
def test_a_state_whose_memory_is_all_spent_does_more_than_to_move(lua, does):
    run_child(f"LUA, DOES = {lua!r}, {does!r}\n" + FULL)


FULL = '''
import tempfile
from pathlib import Path
from engine import Limits, World

SCRIPT = """
local one = {}
function one:start()
  local s, kept = ("x"):sub(1, 1), {}
  for i = 1, 20 do s = s .. s end
  for i = 1, 14 do kept[i] = s:sub(1) end
  local last, rest = s:sub(1, SIZE // 2), s:sub(1, SIZE // 2)
  DOES
end
return one
"""
scripts = Path(tempfile.mkdtemp())

def lives(size, does):
    (scripts / "one.lua").write_text(SCRIPT.replace("SIZE", str(size)).replace("DOES", does))
    with World(scripts, lua=LUA, limits=Limits(memory=1_100_000)) as world:
        one = world.spawn("one")
        for frame in range(2):
            world.tick(1 / 60)
        fits = not world.problems
        one.destroy()
    return fits

most, least = 2**21, 0
while most - least > 1000:
    middle = (most + least) // 2
    most, least = (most, middle) if lives(middle, "wait() wait() wait()") else (middle, least)
assert 0 < least < 2**21 - 2000
for size in range(least - 150_000, least + 1000, 2500):
    lives(size, DOES)
'''
