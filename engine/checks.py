"""What the game passes to the engine, looked at where it does: later, nobody could say whose call it was."""

from __future__ import annotations

import os
from math import inf
from typing import NoReturn

from engine.errors import EngineError

LONGEST = 1e9
"""Seconds of one frame, and how often the time may go: no clock counts to infinity with these."""


def check_measure(what: str, value: object, kind: str = "number of seconds", least: float = 0) -> None:
    """A number that time can be counted with."""
    if not isinstance(value, (int, float)) or not least <= value <= LONGEST:
        raise EngineError(f"{what} must be a finite {kind} >= {least:g}, at most {LONGEST:g}, got {value!r}")


def check_place(what: str, value: object) -> float:
    """A finite number, as a float."""
    if not isinstance(value, int | float) or not -inf < value < inf:
        raise EngineError(f"{what} must be a finite number, got {value!r}")
    return float(value)


def check_count(what: str, value: object) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise EngineError(f"{what} must be a whole number >= 0, got {value!r}")


def check_seed(value: object) -> None:
    if not isinstance(value, int) or not -(2**63) <= value < 2**63:
        raise EngineError(f"seed must be a whole number of 64 bits, got {value!r}")


def check_script(what: str, name: object, kind: str = "the name of a script") -> None:
    if not isinstance(name, str):
        raise EngineError(f"{what}: expected {kind}, got {name!r}")


def check_pattern(what: str, names: object) -> None:
    """One script, or those whose names a pattern matches."""
    check_script(what, names, 'the name of a script or a pattern such as "mods/*"')


def check_listener(listener: object) -> None:
    if not callable(listener):
        raise EngineError(f"a listener must be callable, got {listener!r}")


def check_folder(what: str, path: object) -> None:
    """What names a folder or a file, as text or as a `Path`."""
    if not isinstance(path, str | os.PathLike) or not isinstance(name := os.fspath(path), str) or not name:
        raise EngineError(f"{what}: expected a path, as a string or a Path, got {path!r}")
    if "\0" in name or (not name.isprintable() and _is_torn(name)):
        raise EngineError(f"{what}: no path has zero bytes or lone surrogates in it, got {path!r}")


def _is_torn(name: str) -> bool:
    try:
        os.fsencode(name)
    except UnicodeEncodeError:
        return True
    return False


def refuse_copies(it: object, instead: str) -> NoReturn:
    """What `__reduce_ex__` is for things that are one of their kind."""
    raise TypeError(f"{it!r} cannot be copied or pickled; {instead}")
