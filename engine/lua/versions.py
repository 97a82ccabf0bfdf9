"""Finds lupa's module for a version of Lua: the one file that imports lupa."""

from __future__ import annotations

import importlib
from functools import cache
from importlib.util import find_spec
from typing import Any

from engine.errors import EngineError

VERSIONS = ("lua55", "lua54", "luajit21")


@cache
def _module(lua: str) -> Any:
    try:
        return importlib.import_module(f"lupa.{lua}")
    except ImportError as error:
        if find_spec("lupa") is None:
            raise EngineError('lupa is not installed for this Python: pip install "lupa>=2.8"') from error
        other = (
            'install a newer one, pip install -U "lupa>=2.8"' if lua == "lua55" else "use lua55, which every wheel has"
        )
        raise EngineError(f"{lua} is not in this machine's lupa wheel ({error}); {other}") from error


def check_version(lua: str) -> None:
    """`EngineError` for a version that there is not, or not in this machine's lupa."""
    if not isinstance(lua, str) or lua not in VERSIONS:
        raise EngineError(f"lua must be one of {', '.join(VERSIONS)}, got {lua!r}")
    _module(lua)


def available(lua: str) -> bool:
    """True where this machine's lupa has that version."""
    try:
        check_version(lua)
    except EngineError:
        return False
    return True


def error_of(lua: str) -> type[Exception]:
    """`LuaError` of this version: each has its own."""
    return _module(lua).LuaError  # type: ignore[no-any-return]


def bare_vm(lua: str, seed: int, memory: int | None = None) -> Any:
    """A VM with nothing in it but Lua's own library; all strings cross as bytes."""
    return _module(lua).LuaRuntime(
        max_memory=memory,
        encoding=None,
        unpack_returned_tuples=True,
        register_eval=False,
        register_builtins=False,
        string_hash_seed=seed & 0x7FFFFFFF,
    )
