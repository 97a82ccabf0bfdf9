"""Knows which names are locals at a place of a script, and what they stand for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from engine.reading.syntax import Call, Index, Name, Node, String


class Scopes:
    """The scopes around the place where a walk is; a local that stands for a field of a global is seen through.

    `met` collects every local there is.
    """

    def __init__(self, met: set[str]) -> None:
        self._met = met
        self._open: list[dict[str, list[Name] | None]] = [{}]

    @contextmanager
    def opened(self, names: list[Name]) -> Iterator[None]:
        """A scope that begins with these locals."""
        self._open.append({})
        self.bind(names)
        yield
        self._open.pop()

    def bind(self, names: list[Name], values: list[Node] | None = None) -> None:
        aliases = [self.parts(value) for value in values or []]
        for position, name in enumerate(names):
            self._met.add(name.name)
            self._open[-1][name.name] = aliases[position] if position < len(aliases) else None

    def has(self, name: str) -> bool:
        return any(name in scope for scope in self._open)

    def parts(self, node: Node) -> list[Name] | None:
        """The parts of a global's name; None for anything that hangs on a local or is computed."""
        match node:
            case Name(name=name):
                return self._alias(name) if self.has(name) else [node]
            case Index(object=inner, key=String() as key):
                before = self.parts(inner)
                return None if before is None else [*before, Name(key.line, key.column, key.value)]
            case Call(function=Name(name="require"), arguments=[String() as name]) if not self.has("require"):
                return [Name(name.line, name.column, f"require {name.value}")]
        return None

    def _alias(self, name: str) -> list[Name] | None:
        return next((scope[name] for scope in reversed(self._open) if name in scope), None)
