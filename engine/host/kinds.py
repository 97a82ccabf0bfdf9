"""Type hints, as they meet plain data from a script: what fits, and what both sides call it."""

from __future__ import annotations

import types
import typing
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Callable as AbstractCallable
from typing import Any, Literal, Union

_PLAIN = {bool: "boolean", int: "integer", float: "number", str: "string", bytes: "string", type(None): "nil"}
_LISTS = (list, Sequence, typing.Sequence, tuple)
_MAPS = (dict, Mapping, typing.Mapping)


class Mismatch(Exception):
    """An argument does not fit its parameter."""


def accept(hint: Any, value: Any, name: str) -> Any:
    """`value` as a parameter with this hint gets it; `Mismatch` with `name` where it does not fit.

    A float that is a whole number fits `int`, as in Lua; a number fits `float`; text fits `bytes`; an empty
    table fits lists and dicts.
    """
    fits, found = _fit(hint, value, name)
    if not fits:
        raise Mismatch(f"{name} must be {spoken(hint)}, got {lua_name(value)}")
    return found


def _fit(hint: Any, value: Any, name: str) -> tuple[bool, Any]:
    origin = typing.get_origin(hint) or hint
    if origin in _PLAIN:
        return _fit_plain(origin, value)
    if origin in (Union, types.UnionType):
        return _fit_union(hint, value, name)
    if origin is Literal:
        return value in typing.get_args(hint), value
    if origin in _LISTS:
        return _fit_list(hint, value, name)
    if origin in _MAPS:
        return _fit_map(hint, value, name)
    if is_function(hint):
        return callable(value), value
    return True, value


def _fit_plain(kind: Any, value: Any) -> tuple[bool, Any]:
    if kind is float and type(value) is int:
        return True, float(value)
    if kind is int and type(value) is float and value.is_integer():
        return True, int(value)
    if kind is bytes and isinstance(value, str):
        return True, value.encode()
    return type(value) is kind, value


def _fit_union(hint: Any, value: Any, name: str) -> tuple[bool, Any]:
    choices = typing.get_args(hint)
    if type(value) in choices:  # 3 stays an integer for `float | int`
        return True, value
    for choice in choices:
        try:
            fits, found = _fit(choice, value, name)
        except Mismatch:
            if len([one for one in choices if one is not type(None)]) == 1:
                raise
            continue
        if fits:
            return True, found
    return False, value


def _fit_list(hint: Any, value: Any, name: str) -> tuple[bool, Any]:
    if value == {}:
        value = []
    if not isinstance(value, list):
        return False, value
    kinds = typing.get_args(hint)
    if kinds and typing.get_origin(hint) is not tuple:
        return True, [accept(kinds[0], item, f"{name}[{place}]") for place, item in enumerate(value, 1)]
    return True, value


def _fit_map(hint: Any, value: Any, name: str) -> tuple[bool, Any]:
    if not isinstance(value, dict):
        return False, value
    kinds = typing.get_args(hint)
    if not kinds:
        return True, value
    keys = {key: accept(kinds[0], key, f"a key of {name}") for key in value}
    return True, {keys[key]: accept(kinds[1], item, f"{name}.{key}") for key, item in value.items()}


def is_function(hint: Any) -> bool:
    """True for hints that only a function of the script fits."""
    origin = typing.get_origin(hint) or hint
    names = ("Callback", "FunctionHandle")
    return origin in (AbstractCallable, Callable, typing.Callable) or getattr(origin, "__name__", "") in names


def lua_name(value: Any) -> str:
    """What a script calls this value: "a table", "the string \"x\""."""
    if isinstance(value, str):
        return f'the string "{value}"' if len(value) <= 40 else "a string"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return f"the number {value}"
    if value is None:
        return "nil"
    if isinstance(value, bytes):
        return "a string that is no UTF-8"
    return "a list" if isinstance(value, list) else "a table" if isinstance(value, dict) else "a function"


def spoken(hint: Any) -> str:
    """The hint, as an error message says it."""
    origin = typing.get_origin(hint) or hint
    if origin in (Union, types.UnionType):
        return " or ".join(spoken(choice) for choice in typing.get_args(hint))
    if origin is Literal:
        return " or ".join(
            f'"{choice}"' if isinstance(choice, str) else str(choice) for choice in typing.get_args(hint)
        )
    if origin is type(None):
        return "nil"
    if origin in _PLAIN:
        word = _PLAIN[origin]
        return f"{'an' if word == 'integer' else 'a'} {word}"
    return "a list" if origin in _LISTS else "a table with names" if origin in _MAPS else "a function"


def annotation(hint: Any) -> str:
    """The hint, as the language server of an editor writes it."""
    origin, args = typing.get_origin(hint) or hint, typing.get_args(hint)
    if origin in (Union, types.UnionType):
        return "|".join(annotation(choice) for choice in args)
    if origin is Literal:
        return "|".join(f'"{choice}"' if isinstance(choice, str) else str(choice) for choice in args)
    if origin in _PLAIN:
        return _PLAIN[origin]
    if origin in _LISTS:
        return f"{annotation(args[0])}[]" if args else "any[]"
    if origin in _MAPS:
        return f"table<{annotation(args[0])}, {annotation(args[1])}>" if args else "table"
    return "fun(...)" if is_function(hint) else "any"
