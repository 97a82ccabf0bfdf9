"""The declarations of what scripts can call, for LuaLS: signatures and docs, in the files of stubs/.

A file is read in blocks between empty lines; a block is one declaration with its comments.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources

ORDER = (
    *("script", "wait", "task", "async", "bus", "shared", "entity"),
    *("log", "time", "os", "input", "window"),
)

_FUNCTION = re.compile(r"^function ([\w.]+)\(([^)]*)\) end$", re.MULTILINE)
_LIBRARY = re.compile(r"^(\w+) = \{\}$", re.MULTILINE)
_FIELD = re.compile(r"^---@field (\w+)\?? ", re.MULTILINE)
_KIND = re.compile(r"^---@param (\w+)\?? ([\w.|]+)", re.MULTILINE)
_OPTIONAL = re.compile(r"^---@param (\w+)\? ", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Declaration:
    """One block. `names` are the names it declares for scripts: none for types, several for a library's fields.

    `kinds` are the types of its parameters, as the annotations spell them.
    """

    text: str
    names: tuple[str, ...]
    parameters: tuple[str, ...] = ()
    optional: frozenset[str] = frozenset()
    kinds: Mapping[str, str] = field(default_factory=dict)

    @property
    def suspends(self) -> bool:
        return "---@async\n" in self.text

    @property
    def required(self) -> int:
        """How many arguments a call needs."""
        needed = [place for place, name in enumerate(self.parameters, 1) if name not in self.optional and name != "..."]
        return max(needed, default=0)

    @property
    def most(self) -> int | None:
        """How many arguments a call may have; None where there may be any number."""
        return None if "..." in self.parameters else len(self.parameters)

    @property
    def signature(self) -> str:
        """ "bus.emit(name [, payload])", for messages."""
        shown = ""
        for name in self.parameters:
            comma = ", " if shown else ""
            shown += f" [{comma}{name}]" if name in self.optional else comma + name
        return f"{self.names[0]}({shown.strip()})"


@cache
def declarations() -> tuple[Declaration, ...]:
    """All blocks, in the order of the files."""
    blocks = [block for name in ORDER for block in stub(name).strip().split("\n\n")]
    return tuple(_declaration(block) for block in blocks if block != "---@meta")


def stub(name: str) -> str:
    """The text of one file."""
    return (resources.files("engine.annotations") / "stubs" / f"{name}.lua").read_text(encoding="utf-8")


@cache
def by_name() -> dict[str, Declaration]:
    """The declaration of each function that scripts can call."""
    return {declared.names[0]: declared for declared in declarations() if declared.names and _is_function(declared)}


@cache
def test_names() -> tuple[str, ...]:
    """What tests can call beside what scripts can: "test", "expect", "sim.fields", ..."""
    return tuple(name for block in stub("tests").split("\n\n") for name in _declaration(block.strip()).names)


def _is_function(declared: Declaration) -> bool:
    return _FUNCTION.search(declared.text) is not None


def _declaration(block: str) -> Declaration:
    function, library = _FUNCTION.search(block), _LIBRARY.search(block)
    if function is not None:
        parameters = tuple(name.strip() for name in function[2].split(",") if name.strip())
        optional, kinds = frozenset(_OPTIONAL.findall(block)), dict(_KIND.findall(block))
        return Declaration(block, (function[1],), parameters, optional, kinds)
    if library is not None:
        fields = tuple(f"{library[1]}.{field}" for field in _FIELD.findall(block))
        return Declaration(block, (library[1], *fields))
    return Declaration(block, ())
