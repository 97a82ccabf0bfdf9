"""One event to a hundred listeners, each in a state of its own; the time is for one delivery, its handler included.

Beside Tidelock stand the plain way with lupa (the table becomes a dict, and the dict a table in each listener's
runtime), the same with one dict for all listeners, and blinker with a deep copy for each listener, all in Python.
"""

from __future__ import annotations

import argparse
import copy
import importlib
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.harness import Case, machine, measure, table
from engine import World

EVENT = '{ kind = "damage", amount = 12.5, from = 12, pos = { x = 1, y = 2 }, tags = { "fire", "crit" } }'
PYTHON_EVENT = {
    "kind": "damage",
    "amount": 12.5,
    "from": 12,
    "pos": {"x": 1, "y": 2},
    "tags": ["fire", "crit"],
}

SPEAKER = f"""
local speaker = {{}}
function speaker:update()
  bus.emit("damage", {EVENT})
end
return speaker
"""

LISTENER = """
local listener = { properties = { hp = 0, fires = 0 } }

function listener:start()
  bus.on("damage", function(event)
    local damage = event.payload
    self.hp = self.hp - damage.amount + damage.pos.x
    if damage.tags[1] == "fire" then
      self.fires = self.fires + 1
    end
  end)
end

return listener
"""

PLAIN_LISTENER = """
function(self)
  return function(damage)
    self.hp = self.hp - damage.amount + damage.pos.x
    if damage.tags[1] == "fire" then
      self.fires = self.fires + 1
    end
  end
end
"""


def tidelock(lua: str, count: int) -> Case:
    folder = Path(tempfile.mkdtemp())
    (folder / "speaker.lua").write_text(SPEAKER)
    (folder / "listener.lua").write_text(LISTENER)
    world = World(folder, lua=lua, strict=True)
    for _ in range(count):
        world.spawn("listener")
    world.spawn("speaker")
    return Case("tidelock", lambda: world.tick(1 / 60), count, world.close)


def to_python(value: Any, lua_type: Callable[[Any], str | None]) -> Any:
    """What one writes with lupa alone: arrays become lists, other tables dicts."""
    if lua_type(value) != "table":
        return value
    made = {key: to_python(item, lua_type) for key, item in value.items()}
    if made and all(key == place for place, key in enumerate(made, start=1)):
        return list(made.values())
    return made


def plain(lua: str, count: int, *, once: bool) -> Case:
    """The event from the sender's runtime into each listener's, as one would write it with lupa alone."""
    module = importlib.import_module(f"lupa.{lua}")
    runtimes = [module.LuaRuntime() for _ in range(count)]
    listeners = [(each, each.eval(PLAIN_LISTENER)(each.table(hp=0, fires=0))) for each in runtimes]
    event = module.LuaRuntime().eval(f"function() return {EVENT} end")

    def run() -> None:
        table = event()
        payload = to_python(table, module.lua_type)
        for runtime, listener in listeners:
            if not once:
                payload = to_python(table, module.lua_type)
            listener(runtime.table_from(payload, recursive=True))

    return Case("plain lupa, one dict for all" if once else "plain lupa", run, count)


class PythonListener:
    """The same listener in Python."""

    def __init__(self) -> None:
        self.hp, self.fires = 0.0, 0

    def hear(self, sender: object, event: dict[str, Any]) -> None:
        damage = copy.deepcopy(event)
        self.hp = self.hp - damage["amount"] + damage["pos"]["x"]
        if damage["tags"][0] == "fire":
            self.fires += 1


def blinker(count: int) -> Case:
    signal = importlib.import_module("blinker").Signal()
    listeners = [PythonListener() for _ in range(count)]
    for listener in listeners:
        signal.connect(listener.hear)

    def run() -> None:
        signal.send(listeners, event=PYTHON_EVENT)  # the sender keeps the listeners, which blinker holds weakly

    return Case("blinker with deepcopy", run, count)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--lua", nargs="*", default=["lua55", "lua54", "luajit21"])
    options = parser.parse_args()
    print(machine(), end="\n\n")
    for lua in options.lua:
        cases = [plain(lua, options.count, once=False), plain(lua, options.count, once=True)]
        cases += [blinker(options.count), tidelock(lua, options.count)]
        title = f"One event to {options.count} listeners in states of their own on {lua}"
        print(table(title, measure(cases), "plain lupa", unit="delivery"), end="\n\n")


if __name__ == "__main__":
    main()
