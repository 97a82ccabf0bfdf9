"""What the game passes to the engine, looked at where it does: later, nobody could say whose call it was."""

from __future__ import annotations

from math import inf

from engine.errors import EngineError

LONGEST = 1e9
"""Seconds of one frame, and how often the time may go: no clock counts to infinity with these."""


def check_measure(what: str, value: object, kind: str = "number of seconds", least: float = 0) -> None:
    """A number that time can be counted with."""
    if not isinstance(value, int | float) or not least <= value <= LONGEST:
        raise EngineError(f"{what} must be a finite {kind} >= {least:g}, at most {LONGEST:g}, got {value!r}")


def check_place(what: str, value: object) -> float:
    """A finite number, as a float."""
    if not isinstance(value, int | float) or not -inf < value < inf:
        raise EngineError(f"{what} must be a finite number, got {value!r}")
    return float(value)


def check_count(what: str, value: object) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise EngineError(f"{what} must be a whole number >= 0, got {value!r}")


def check_script(what: str, name: object, kind: str = "the name of a script") -> None:
    if not isinstance(name, str):
        raise EngineError(f"{what}: expected {kind}, got {name!r}")


def check_pattern(what: str, names: object) -> None:
    """One script, or those whose names a pattern matches."""
    check_script(what, names, 'the name of a script or a pattern such as "mods/*"')


def check_listener(listener: object) -> None:
    if not callable(listener):
        raise EngineError(f"a listener must be callable, got {listener!r}")
