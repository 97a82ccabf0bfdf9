"""One event to a hundred listeners, each in a state of its own; the time is for one delivery, its handler included.

Beside Tidelock stand the plain way with lupa (the table becomes a dict, and the dict a table in each listener's
runtime), the same with one dict for all listeners, and blinker with a deep copy for each listener, all in Python. The
floor hands the leaves as arguments to a function of each state, which makes the table there and calls the listener.
"""

from __future__ import annotations

import copy
import importlib
from collections.abc import Callable, Iterator
from typing import Any

from benchmarks.harness import Case, Size, compare, main
from benchmarks.tables import Skipped, Table
from benchmarks.worlds import make_world

LISTENERS = 100

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
    world = make_world({"speaker": SPEAKER, "listener": LISTENER}, lua)
    for _ in range(count):
        world.spawn("listener")
    world.spawn("speaker")
    return Case("Tidelock", lambda: world.tick(1 / 60), count, world.close)


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


FLOOR = f"""
function()
  local listener = ({PLAIN_LISTENER})({{ hp = 0, fires = 0 }})
  return function(kind, amount, from, x, y, first, second)
    listener({{ kind = kind, amount = amount, from = from, pos = {{ x = x, y = y }}, tags = {{ first, second }} }})
  end
end
"""


def floor(lua: str, count: int) -> Case:
    """The least that makes a copy in each state: one call with the leaves."""
    module = importlib.import_module(f"lupa.{lua}")
    listeners = [module.LuaRuntime(encoding=None).eval(FLOOR)() for _ in range(count)]
    leaves = (b"damage", 12.5, 12, 1, 2, b"fire", b"crit")

    def run() -> None:
        for listener in listeners:
            listener(*leaves)

    return Case("floor: one call each", run, count)


class PythonListener:
    """The same listener in Python."""

    def __init__(self) -> None:
        self.hp, self.fires = 0.0, 0

    def hear(self, sender: object, event: dict[str, Any]) -> None:
        damage = copy.deepcopy(event)
        self.hp = self.hp - damage["amount"] + damage["pos"]["x"]
        if damage["tags"][0] == "fire":
            self.fires += 1


def blinker(count: int) -> Case | Skipped:
    try:
        signal = importlib.import_module("blinker").Signal()
    except ImportError:
        return Skipped("blinker with deepcopy", 'pip install -e ".[bench]"')
    listeners = [PythonListener() for _ in range(count)]
    for listener in listeners:
        signal.connect(listener.hear)

    def run() -> None:
        signal.send(listeners, event=PYTHON_EVENT)  # the sender keeps the listeners, which blinker holds weakly

    return Case("blinker with deepcopy", run, count)


def tables(size: Size, luas: list[str]) -> Iterator[Table]:
    count = size.count(LISTENERS)
    for lua in luas:
        contenders = [
            plain(lua, count, once=False),
            plain(lua, count, once=True),
            blinker(count),
            floor(lua, count),
            tidelock(lua, count),
        ]
        title = f"One event to {count} listeners in states of their own on {lua}"
        yield compare(f"bus/{lua}", title, contenders, "plain lupa", size, unit="delivery")


if __name__ == "__main__":
    main(tables, __doc__)
