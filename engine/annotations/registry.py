"""The names that scripts can reach, asked of a living state."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from engine.lua.state import LuaState
from engine.lua.versions import VERSIONS, available


class Entry(NamedTuple):
    """`kind` is Lua's type of the value; `parameters` -1 where there may be any number, or nobody knows."""

    kind: str
    parameters: int


@cache
def names(lua: str) -> dict[str, Entry]:
    """Everything in the environment of a script: "wait", "bus", "bus.on", ..., sorted."""
    with LuaState(lua) as state:
        flat = state.function("registry", "names")()
    found = {flat[at].decode(): Entry(flat[at + 1].decode(), int(flat[at + 2])) for at in range(0, len(flat), 3)}
    return dict(sorted(found.items()))


def versions() -> list[str]:
    """The versions of Lua that this machine has, the default first."""
    return [lua for lua in VERSIONS if available(lua)]
