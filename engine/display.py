"""What scripts show: the fields of `self` that a window draws, and the commands that it obeys.

In what a state tells, a field or a command with plain values is one short operation, known by its number. It has a
value at least: a single integer after the wake time and the place says how much there is to be fetched.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from engine.payload import plain

COMMANDS = (
    *(("", ""), ("sprite", "play"), ("sprite", "stop"), ("sprite", "flash")),
    *(("sound", "play"), ("sound", "loop"), ("sound", "stop")),
    *(("camera", "follow"), ("camera", "move"), ("camera", "shake"), ("camera", "fade")),
    *(("draw", "text"), ("draw", "rect"), ("draw", "circle"), ("draw", "line"), ("draw", "light"), ("draw", "say")),
    ("draw", "image"),
)
"""Operation 1 is the first command, and so on; `prelude/window.lua` has the same numbers."""

FIELDS = ("sprite", "frame", "layer", "angle", "scale", "flip", "alpha", "visible", "text", "light", "color")
"""The operation after the last command says that the first field has another value, and so on; `prelude/screen.lua` has
the same numbers."""

MOST_ARGUMENTS = 5
"""Of a command that comes by its number, which has one at least; others come as payloads."""


def packed(number: int, entity: int, count: int) -> int:
    """What begins such an operation: its number, of whom it is and how many values it has, in one integer."""
    return entity << 8 | count << 5 | number


def unpacked(head: int) -> tuple[int, int, int]:
    """Number, entity and how many values follow."""
    return head & 31, head >> 8, head >> 5 & 7


class Command(NamedTuple):
    """A call of `sprite`, `sound`, `camera` or `draw` by a script, for whoever shows the game."""

    module: str
    function: str
    args: list[Any]
    sender: int


class Commands:
    """What scripts called in one frame; made into `Command`s when somebody asks, which without a window nobody does."""

    def __init__(self) -> None:
        # Commands; (its values, where its commands begin, where they end) of what a state told; or all that a tick told
        # which only shows something.
        self.told: list[tuple[Any, ...]] = []
        self._made: list[Command] = []
        self._read = 0  # how many of `told` are in there

    def all(self) -> list[Command]:
        """All so far, in order; the same list each time."""
        for told in self.told[self._read :]:
            if isinstance(told, Command):
                self._made.append(told)
            elif type(told[0]) is tuple:
                self._made += _commands(*told)
            else:
                self._made += _commands(told, 3, 2 - told[0])
        self._read = len(self.told)
        return self._made


def _commands(flat: tuple[Any, ...], at: int, end: int) -> Iterator[Command]:
    while at < end:
        number, sender, count = unpacked(flat[at])
        yield Command(*COMMANDS[number], [plain(value) for value in flat[at + 1 : at + 1 + count]], sender)
        at += 1 + count
