"""Makes plain data of what host functions give, within the limits of their world. Holds nothing but these."""

from __future__ import annotations

from typing import Any

from engine.host.module import HostFunction
from engine.limits import Limits
from engine.payload import Encoded, encode
from engine.spelling import LUA_INTEGER

SMALL = 2**53
"""Up to here, integers are exact in every version of Lua."""


class Plain:
    """Encodes for the states of one world."""

    def __init__(self, limits: Limits, lua: str) -> None:
        self._limits = limits
        self._max_integer = SMALL if lua == "luajit21" else LUA_INTEGER

    def bytes(self, payload: int | None) -> int:
        """What a payload may have where a module asks for `payload` bytes."""
        return self._limits.payload if payload is None else payload

    def result(self, function: HostFunction, value: Any) -> Encoded:
        """What `function` gave; `PayloadError` for what is no plain data."""
        if type(value) is float or (type(value) is int and -SMALL <= value <= SMALL):
            return b".", (value,)
        return self._encode(value, "result", self.bytes(function.payload))

    def arguments(self, args: tuple[Any, ...]) -> Encoded:
        """The arguments of a callback: a table with `n` and those that are not nil."""
        packed: dict[Any, Any] = {"n": len(args), **dict(enumerate(args, 1))}
        return self._encode(packed, "arguments", self._limits.payload)

    def _encode(self, value: Any, what: str, max_bytes: int) -> Encoded:
        return encode(
            value,
            what=what,
            max_bytes=max_bytes,
            max_depth=self._limits.depth,
            max_integer=self._max_integer,
        )
