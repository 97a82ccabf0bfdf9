"""What Lua text consists of. Every node has the place where it begins, lines and columns from 1."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields


@dataclass(slots=True)
class Node:
    line: int
    column: int


@dataclass(slots=True)
class Name(Node):
    name: str


@dataclass(slots=True)
class String(Node):
    value: str


@dataclass(slots=True)
class Number(Node):
    text: str


@dataclass(slots=True)
class Constant(Node):
    """nil, true, false or `...`."""

    text: str


@dataclass(slots=True)
class Index(Node):
    """`object.key` and `object[key]`; the place is that of the key."""

    object: Node
    key: Node


@dataclass(slots=True)
class Call(Node):
    """`function(arguments)`, or `function:method(arguments)`."""

    function: Node
    method: Name | None
    arguments: list[Node]


@dataclass(slots=True)
class Function(Node):
    parameters: list[Name]
    variadic: bool
    rest: Name | None
    """What the other arguments are called, as Lua 5.5 may have it: `...rest`."""
    body: list[Node]


@dataclass(slots=True)
class Field(Node):
    """One entry of a table constructor; without a key it belongs to the array part."""

    key: Node | None
    value: Node


@dataclass(slots=True)
class Table(Node):
    entries: list[Field]


@dataclass(slots=True)
class Operation(Node):
    operator: str
    operands: list[Node]


@dataclass(slots=True)
class Local(Node):
    names: list[Name]
    values: list[Node]


@dataclass(slots=True)
class Global(Node):
    """Lua 5.5's declaration of globals."""

    names: list[Name]
    values: list[Node]


@dataclass(slots=True)
class Assignment(Node):
    targets: list[Node]
    values: list[Node]


@dataclass(slots=True)
class Definition(Node):
    """`function target()`; `method` for `function target:name()`, whose `self` is implied; `local` for local ones."""

    target: Node
    method: bool
    local: bool
    function: Function


@dataclass(slots=True)
class Block(Node):
    """`do`, and each branch of other statements; `conditions` are judged before it, `names` are local to it."""

    names: list[Name]
    conditions: list[Node]
    body: list[Node]


@dataclass(slots=True)
class Repeat(Node):
    """Its condition sees the locals of its body."""

    body: list[Node]
    condition: Node


@dataclass(slots=True)
class Return(Node):
    values: list[Node]


def children(node: Node) -> Iterator[Node]:
    """The nodes directly inside `node`, in order."""
    for field in fields(node):
        value = getattr(node, field.name)
        if isinstance(value, Node):
            yield value
        elif isinstance(value, list):
            yield from (item for item in value if isinstance(item, Node))


def walk(nodes: list[Node]) -> Iterator[Node]:
    """All nodes inside these, at any depth, in order."""
    for node in nodes:
        yield node
        yield from walk(list(children(node)))
