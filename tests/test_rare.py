"""Rare functions of the prelude: cut out of what every state loads, they work as if they had never been cut."""

from pathlib import Path
from typing import Any

import pytest

from engine import World
from engine.lua import runtime
from engine.lua.rare import cut
from helpers import ScriptFolder, ticks

BOOT = Path(runtime.__file__).parent / "prelude" / "boot.lua"

COUNTER = """\
local counter = {}

local type = type
local count, step = 0, 1


--@rare
local function double(n)
  return type(n) == "number" and n * 2 or nil
end


function counter.up()
  count = count + step
  return count
end


--@rare
function counter.leap(...)
  step = double(step)
  count = count + select("#", ...) * 10
  return count, step
end


function counter.twice(n)
  return double(n)
end


return counter
"""

USE = b"""
local counter, told = ..., {}
local function tell(...)
  for i = 1, select("#", ...) do
    told[#told + 1] = (select(i, ...))
  end
end
tell(counter.up())
tell(counter.leap(nil, nil))
tell(counter.up())
tell(counter.leap())
tell(counter.up(), counter.twice(8))
return (unpack or table.unpack)(told)
"""


def test_rare_functions_share_the_locals_of_their_file(lua: str) -> None:
    vm = runtime._bare(lua, 1)
    halves = cut("counter", COUNTER)
    assert halves.rare is not None and "double(n)\n  return type" not in halves.usual
    dump = vm.execute(b"return function(text) return string.dump(assert(load(text)), true) end")
    fetched: list[bytes] = []

    def fetch(name: bytes) -> Any:
        fetched.append(name)
        return dump(halves.rare.encode() if halves.rare else b"")

    prelude, _, _ = vm.compile(BOOT.read_bytes())(fetch)
    usual = vm.execute(b"return function(text, prelude) return load('local prelude = ... ' .. text)(prelude) end")
    counter = usual(halves.usual.encode(), prelude)

    assert vm.execute(USE, counter) == (1, 21, 2, 23, 23, 4, 27, 16)
    assert fetched == [b"rare counter"]


def test_a_file_without_rare_functions_stays_whole() -> None:
    assert cut("clock", "local clock = {}\n\nreturn clock\n") == ("local clock = {}\n\nreturn clock\n", None)


def test_no_birth_and_no_usual_tick_needs_what_is_rare(
    world: World, scripts: ScriptFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetched: list[bytes] = []
    whole = runtime._prelude

    class Noted(dict[bytes, bytes]):
        def get(self, name: bytes, default: Any = None) -> Any:
            fetched.append(name)
            return super().get(name, default)

    monkeypatch.setattr(runtime, "_prelude", lambda lua: Noted(whole(lua)))
    scripts.write("mover", "return { start = function(self) while true do self.x = self.x + time.dt wait() end end }")
    scripts.write("updater", "return { update = function(self, dt) self.x = self.x + dt end }")

    moved = [world.spawn(script, x=0.0, y=0.0) for script in ("mover", "updater")]
    ticks(world, 3)

    assert all(entity.position is not None and entity.position > (0.0, 0.0) for entity in moved)
    assert [name for name in fetched if name.startswith(b"rare")] == []
