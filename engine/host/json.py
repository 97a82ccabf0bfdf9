"""The host module "json": text to plain data and back."""

from __future__ import annotations

import json
from typing import Any, NoReturn

from engine.host.module import HostModule
from engine.spelling import LUA_INTEGER

BOM = "\ufeff"
"""What some editors on Windows put in front of a text."""

WIDEST = 16
"""Spaces of one level: what a script gets must not be far larger than what it gave."""


def json_module() -> HostModule:
    """`json.encode(value, options)` and `json.decode(text)`."""
    module = HostModule("json", doc="JSON text.", payload=1024 * 1024)
    module.function(encode)
    module.function(decode)
    return module


def encode(value: Any, *, indent: int | None = None) -> str:
    """The value as JSON, with sorted keys; an empty table is `{}`. `indent` puts it on lines of its own."""
    if indent is not None and not 0 <= indent <= WIDEST:
        raise ValueError(f"indent must be 0 to {WIDEST}, got {indent}")
    return json.dumps(_with_names(value), indent=indent, ensure_ascii=False, allow_nan=False)


def decode(text: str) -> Any:
    """The value of a JSON text. A null in an object is left out; in a list it is false."""
    return _without_nulls(json.loads(text.removeprefix(BOM), parse_constant=_refuse, parse_int=_integer))


def _with_names(value: Any) -> Any:
    """The same with sorted names, and those of numbers written out: JSON has no others."""
    if isinstance(value, list):
        return [_with_names(item) for item in value]
    if isinstance(value, dict):
        named = {str(key): _with_names(item) for key, item in value.items() if isinstance(key, str | int)}
        if len(named) < len(value):
            raise ValueError("a table with a name that is no UTF-8, or with a number and its text as names, is no JSON")
        return dict(sorted(named.items()))
    if isinstance(value, bytes):
        raise ValueError("a string that is no UTF-8 is no JSON")
    return value


def _without_nulls(value: Any) -> Any:
    if isinstance(value, list):
        return [False if item is None else _without_nulls(item) for item in value]
    if isinstance(value, dict):
        return {key: _without_nulls(item) for key, item in value.items() if item is not None}
    return value


def _refuse(word: str) -> NoReturn:
    raise ValueError(f"{word} is no JSON")


def _integer(digits: str) -> int | float:
    """An integer that Lua has none for is the nearest float."""
    if len(digits) > len(str(-LUA_INTEGER)):  # int() refuses thousands of them
        return float(digits)
    number = int(digits)
    return number if -LUA_INTEGER <= number <= LUA_INTEGER else float(digits)
