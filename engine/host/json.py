"""The host module "json": text to plain data and back."""

from __future__ import annotations

import json
from typing import Any, NoReturn

from engine.host.module import HostModule
from engine.spelling import LUA_INTEGER


def json_module() -> HostModule:
    """`json.encode(value, options)` and `json.decode(text)`."""
    module = HostModule("json", doc="JSON text.", payload=1024 * 1024)
    module.function(encode)
    module.function(decode)
    return module


def encode(value: Any, *, indent: int | None = None) -> str:
    """The value as JSON, with sorted keys; an empty table is `{}`. `indent` puts it on lines of its own."""
    return json.dumps(value, indent=indent, sort_keys=True, ensure_ascii=False, allow_nan=False)


def decode(text: str) -> Any:
    """The value of a JSON text. A null in an object is left out; in a list it is false."""
    return _without_nulls(json.loads(text, parse_constant=_refuse, parse_int=_integer))


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
    number = int(digits)
    return number if -LUA_INTEGER <= number <= LUA_INTEGER else float(digits)
