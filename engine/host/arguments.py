"""Takes the arguments of a call apart, as `lua/prelude/host.lua` put them together."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from engine.payload import decode


def arguments(flat: tuple[Any, ...], function: Callable[[int], Any]) -> list[Any]:
    """The arguments in a flat list; `function` makes what stands for a function from its key.

    All of it is read, so that every key finds an owner.
    """
    count, at = flat[0], 1
    args: list[Any] = []
    for _ in range(count):
        if flat[at] == b"." and type(flat[at + 2]) is not bytes:
            args.append(flat[at + 2])
            at += 3
        elif flat[at] is True:
            args.append(function(flat[at + 1]))
            at += 2
        else:
            end = at + 2 + flat[at + 1]
            args.append(decode(flat[at], flat[at + 2 : end]))
            at = end
    while at < len(flat):
        number, field, key = flat[at : at + 3]
        _put_back(args, number - 1, field, function(key))
        at += 3
    return args


def _put_back(args: list[Any], place: int, field: bytes | int | float, found: Any) -> None:
    """Set the field of a table that holds a function; a list without it is a table with numbers."""
    table = args[place]
    if isinstance(table, list):
        table = args[place] = dict(enumerate(table, 1))
    table[field.decode(errors="backslashreplace") if isinstance(field, bytes) else field] = found
