"""Brings the arguments of a script into the shape of a Python signature, by its type hints.

Positional parameters take the arguments in order; keyword-only ones are the fields of one more argument, a
table of options. A nil stands for the parameter's default. What no hint says is not checked.
"""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable
from difflib import get_close_matches
from typing import Any

from engine.host.kinds import Mismatch, accept, lua_name

_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
_EMPTY = inspect.Parameter.empty


class Signature:
    """The parameters of one host function."""

    def __init__(self, function: Callable[..., Any]) -> None:
        found = inspect.signature(function)
        hints = _hints(function)
        parameters = found.parameters.values()
        self.positional = [p.replace(annotation=hints.get(p.name, Any)) for p in parameters if p.kind in _POSITIONAL]
        self.options = {
            p.name: p.replace(annotation=hints.get(p.name, Any)) for p in parameters if p.kind is p.KEYWORD_ONLY
        }
        self.rest = next((hints.get(p.name, Any) for p in parameters if p.kind is p.VAR_POSITIONAL), None)
        self.result = hints.get("return", Any)
        self._exact = [p.annotation for p in self.positional]  # no need to look closer at arguments of these types

    def bind(self, args: list[Any]) -> tuple[list[Any], dict[str, Any]]:
        """Arguments for a call; `Mismatch` names the parameter that does not fit."""
        if not self.options and list(map(type, args)) == self._exact:
            return args, {}
        count = len(self.positional)
        positional = [_fill(parameter, args, place) for place, parameter in enumerate(self.positional)]
        more = args[count:]
        options: dict[str, Any] = {}
        if self.options:
            options = self._bind_options(more.pop(0) if more else None)
        if self.rest is not None:
            return positional + [
                accept(self.rest, value, f"argument {count + 1 + i}") for i, value in enumerate(more)
            ], options
        if any(value is not None for value in more):
            most = count + bool(self.options)
            raise Mismatch(f"takes {_plural(most)}, got {len(args)}")
        return positional, options

    def _bind_options(self, given: Any) -> dict[str, Any]:
        if given is None:
            given = {}
        if not isinstance(given, dict):
            raise Mismatch(f"options must be a table with names, got {lua_name(given)}")
        for name in given:
            if name not in self.options:
                near = get_close_matches(str(name), self.options, 1)
                hint = f'did you mean "{near[0]}"?' if near else f"there is {', '.join(self.options)}"
                raise Mismatch(f'unknown option "{name}"; {hint}')
        bound = {}
        for name, parameter in self.options.items():
            if given.get(name) is not None:
                bound[name] = accept(parameter.annotation, given[name], name)
            elif parameter.default is _EMPTY:
                raise Mismatch(f"option {name} is missing")
        return bound


def _fill(parameter: inspect.Parameter, args: list[Any], place: int) -> Any:
    value = args[place] if place < len(args) else None
    if value is not None:
        return accept(parameter.annotation, value, parameter.name)
    if parameter.default is not _EMPTY:
        return parameter.default
    if place < len(args) or _takes_nil(parameter.annotation):
        return accept(parameter.annotation, None, parameter.name)
    raise Mismatch(f"argument {place + 1} ({parameter.name}) is missing")


def _takes_nil(hint: Any) -> bool:
    try:
        accept(hint, None, "")
    except Mismatch:
        return False
    return hint is not Any


def _hints(function: Callable[..., Any]) -> dict[str, Any]:
    """Hints that cannot be resolved, such as names only type checkers import, check nothing."""
    try:
        return typing.get_type_hints(function)
    except Exception:
        return {}


def _plural(count: int) -> str:
    return "no arguments" if count == 0 else "1 argument" if count == 1 else f"at most {count} arguments"
