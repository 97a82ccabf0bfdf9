"""Turns plain data into a shape and its leaves, and back.

Only such pairs cross between Python and a Lua state: `shape` tells the structure and the keys of the tables,
`values` are the leaves in order. `lua/prelude/payload.lua` writes and reads the same pairs.
"""

from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache, partial
from itertools import repeat
from operator import itemgetter
from typing import Any, TypeAlias

from engine.errors import PayloadError
from engine.limits import Limits
from engine.spelling import LUA_INTEGER, Leaf, Spelling

Encoded: TypeAlias = tuple[bytes, tuple[Leaf, ...]]

DEEPEST = 128
"""Deeper tables are refused whatever the limits say; the Lua side has the same bound."""

# Shapes up to this length are kept with what builds their values; longer ones are parsed each time.
_LONGEST_KEPT = 512

# Tables of so few numbers under names so short have their shapes kept, too.
_FEW, _SHORT = 16, 32


def encode(
    value: object,
    *,
    what: str = "payload",
    max_bytes: int = 65536,
    max_depth: int = 32,
    max_integer: int = LUA_INTEGER,
) -> Encoded:
    """Shape and leaves of `value`; `PayloadError` with the path of the culprit for anything but plain data.

    `what` is what the error calls the value. A dict loses the entries that are None, as a Lua table does.
    """
    return _encode(max_bytes, max_depth, max_integer, value, what)


def encoder(limits: Limits, lua: str) -> Callable[[object, str], Encoded]:
    """`encode` with a world's limits; no method, so that its parts can keep it without keeping the world."""
    return partial(_encode, limits.payload, limits.depth, 2**53 if lua == "luajit21" else LUA_INTEGER)


def _encode(max_bytes: int, max_depth: int, max_integer: int, value: object, what: str) -> Encoded:
    if type(value) is dict and 0 < len(value) <= _FEW and max_depth > 0:
        for leaf in value.values():
            kind = type(leaf)
            if not (kind is float or kind is bool or (kind is int and -max_integer <= leaf <= max_integer)):
                break
        else:  # what is most common, a few numbers by name
            shape, values_of, size = _flat_shape(tuple(value))
            if size <= max_bytes:
                return shape, values_of(value)
    if value is None:
        return b"_", ()
    spelling = Spelling(what, max_bytes, min(max_depth, DEEPEST), max_integer)
    if spelling.take_leaf(value):
        return b".", tuple(spelling.values)
    spelling.spell_table(value, 1)
    return b"".join(spelling.parts), tuple(spelling.values)


@lru_cache(maxsize=512)
def _flat_shape(names: tuple[str, ...]) -> tuple[bytes, Callable[[Any], tuple[Leaf, ...]], float]:
    """The shape of a table with leaves under these names, what gives them in order, and more bytes than it counts."""
    try:
        pairs = sorted((name.encode(), name) for name in names if type(name) is str and len(name) <= _SHORT)
    except UnicodeEncodeError:
        pairs = []
    if len(pairs) < len(names):
        return b"", tuple, float("inf")
    shape = b"".join(b"%d:%b." % (len(key), key) for key, _ in pairs)
    values_of = itemgetter(*(name for _, name in pairs)) if len(pairs) > 1 else _only
    return b"{%b}" % shape, values_of, 8 + sum(8 + len(key) for key, _ in pairs)


def _only(table: dict[str, Leaf]) -> tuple[Leaf, ...]:
    return (*table.values(),)


def decode(shape: bytes, values: Iterable[Leaf]) -> Any:
    """The value of a shape and its leaves: arrays are lists, other tables dicts, UTF-8 bytes are str."""
    leaves = iter(values)
    try:
        value = (_builder(shape) if len(shape) <= _LONGEST_KEPT else _parse(shape))(leaves)
    except (IndexError, ValueError, StopIteration, RecursionError):
        raise PayloadError(f"payload: {shape[:40]!r} is no shape for these values") from None
    if next(leaves, None) is not None:
        raise PayloadError(f"payload: there are more values than the shape {shape[:40]!r} has leaves")
    return value


_Builder: TypeAlias = Callable[[Iterator[Leaf]], Any]


def _parse(shape: bytes) -> _Builder:
    """What builds the values of `shape` from their leaves."""
    if shape == b"_":
        return lambda leaves: None
    build, end = _node(shape, 0)
    if end != len(shape):
        raise ValueError(shape)
    return build


# A memory of a pure function, and a bounded one: worlds cannot notice each other through it.
_builder = lru_cache(maxsize=1024)(_parse)


def _node(shape: bytes, at: int) -> tuple[_Builder, int]:
    """The builder of the node at `at`, and where the node ends."""
    first = shape[at]
    if first == ord("."):
        return _leaf, at + 1
    if first == ord("{"):
        return _map(shape, at + 1)
    if first == ord("["):
        return _array(shape, at + 1)
    raise ValueError(shape)


def plain(leaf: Leaf) -> Any:
    """A leaf as Python sees it: UTF-8 bytes are str."""
    if type(leaf) is bytes:
        try:
            return leaf.decode()
        except UnicodeDecodeError:
            pass
    return leaf


def _leaf(leaves: Iterator[Leaf]) -> Any:
    return plain(next(leaves))


def _map(shape: bytes, at: int) -> tuple[_Builder, int]:
    pairs: list[tuple[Any, _Builder]] = []
    while shape[at] != ord("}"):
        colon = shape.index(b":", at)
        key: Any
        if shape[at] == ord("i"):
            key, at = int(shape[at + 1 : colon]), colon + 1
        else:
            at = colon + 1 + int(shape[at:colon])
            key = plain(shape[colon + 1 : at])
        build, at = _node(shape, at)
        pairs.append((key, build))
    return lambda leaves: {key: build(leaves) for key, build in pairs}, at + 1


def _array(shape: bytes, at: int) -> tuple[_Builder, int]:
    items: list[tuple[_Builder, int]] = []
    while shape[at] != ord("]"):
        run = 1
        if shape[at : at + 1].isdigit():
            dot = shape.index(b".", at)
            run, at = int(shape[at:dot]), dot
        build, at = _node(shape, at)
        items.append((build, run))
    return lambda leaves: [build(leaves) for build, run in items for _ in repeat(None, run)], at + 1
