"""Reads what a state says in a tick: its wake time, its place, and a flat list of operations.

In the list an operation is (name, entity id, n, n values), or one integer that says all of that, and the values: see
`display.packed`.
"""

from __future__ import annotations

from typing import Any

from engine.display import packed, unpacked
from engine.lua.actor import Result

Values = tuple[Any, ...]

Operation = tuple[Any, int, Values]
"""Its name, or number; the entity; its values."""

FIRST = 3
"""Where the operations begin in a tick's result: before them stand the wake time, x and y."""

_FAILURES = (b"problem", b"over")


def each(flat: Values, start: int = FIRST) -> list[Operation]:
    """The operations in a flat list, from `start` on."""
    found = []
    while start < len(flat):
        name = flat[start]
        if type(name) is int:
            name, entity, n = unpacked(name)
            start += 1
        else:
            entity, n = flat[start + 1 : start + 3]
            start += 3
        found.append((name, entity, flat[start : start + n]))
        start += n
    return found


def flattened(name: Any, entity: int, values: Values) -> Values:
    """One operation as it stands in a flat list."""
    if type(name) is int:
        return (packed(name, entity, len(values)), *values)
    return (name, entity, len(values), *values)


def failed(result: Result) -> bool:
    """True where a tick's result tells of a problem. Asked at every birth: it looks at the heads only."""
    if type(result) is not tuple:
        return isinstance(result, Exception)
    at = FIRST
    while at < len(result):
        head = result[at]
        if head in _FAILURES:
            return True
        at += 1 + (head >> 5 & 7) if type(head) is int else 3 + result[at + 2]
    return False


def problems(result: Result) -> list[Operation]:
    """The operations that tell of a problem, or that a limit ended the state."""
    return [found for found in each(result) if found[0] in _FAILURES] if type(result) is tuple else []


def only(result: Result, wanted: bytes) -> list[Operation]:
    """The operations of one name."""
    return [found for found in each(result) if found[0] == wanted] if type(result) is tuple else []


def without(result: Result, id: int) -> Result:
    """The same result, but nothing of the entity `id`."""
    if type(result) is not tuple:
        return result
    kept: list[Any] = list(result[:FIRST])
    for name, entity, values in each(result):
        if entity != id:
            kept += flattened(name, entity, values)
    return tuple(kept)


def parted(result: Result) -> tuple[list[Operation], Values]:
    """The snapshots of entities in a result, and the rest of it."""
    if type(result) is not tuple:
        return [], ()
    if result[3:4] == (b"snapshot",) and len(result) == 6 + result[5]:  # as nearly all
        return [(b"snapshot", result[4], result[6:])], result[:FIRST]
    snapshots, rest = [], list(result[:FIRST])
    for name, entity, values in each(result):
        if name == b"snapshot":
            snapshots.append((name, entity, values))
        else:
            rest += flattened(name, entity, values)
    return snapshots, tuple(rest)
