"""What the states of one world share with its loop, and the ledger of what Python holds of them.

Nothing in here holds a state: a state that ends leaves by reference count, whoever still looks at the ledger.
"""

from __future__ import annotations

import os
import sys
import weakref
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from itertools import count
from threading import get_ident
from typing import TYPE_CHECKING, Any, NamedTuple

from engine.errors import StateBusy

if TYPE_CHECKING:
    from engine.lua.state import LuaState

_ENGINE = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep


class Held(NamedTuple):
    """A handle, or a proxy whose `with` has not ended: who made it, and for which entity."""

    kind: str
    place: str
    state: weakref.ref[LuaState]
    entity: int


class Ledger:
    """What is held, by number. Adding and removing is safe on any thread, also from a finaliser."""

    def __init__(self) -> None:
        self._held: dict[int, Held] = {}
        self._numbers = count(1)

    def __len__(self) -> int:
        return len(self._held)

    def add(self, held: Held) -> int:
        number = next(self._numbers)
        self._held[number] = held
        return number

    def remove(self, number: int) -> None:
        self._held.pop(number, None)

    def all(self) -> list[Held]:
        """Everything that is held, oldest first."""
        return list(self._held.copy().values())


class Outside:
    """What is to be done on the ticking thread at the start of the next frame, in order; added from any thread."""

    def __init__(self) -> None:
        self._actions: deque[Callable[[], object]] = deque()
        self._ended = False

    def add(self, action: Callable[[], object]) -> None:
        self._actions.append(action)
        if self._ended:  # by another thread, since the caller looked
            self._flush()

    def run(self) -> None:
        """Do what is there now; what is added meanwhile waits."""
        for _ in range(len(self._actions)):
            self._actions.popleft()()

    def end(self) -> None:
        """Do what is left, and at once what is still to come: it finds nobody, but only so do its futures end."""
        self._ended = True
        self._flush()

    def _flush(self) -> None:
        while self._actions:
            with suppress(Exception):
                self._actions.popleft()()


class Commons:
    """Shared by the states of one world and its loop; a state without a world has one of its own."""

    def __init__(self) -> None:
        self.ledger = Ledger()
        self.states: set[weakref.ref[LuaState]] = set()  # those that live: each reference takes itself out
        self.forget = self.states.discard
        self.thread: int | None = None  # who ticks now
        self.inside: set[int] = set()  # the states whose calls out of Lua have not returned
        self.entered: set[int] = set()  # the threads in Lua now, or at its border
        self.touched: deque[weakref.ref[LuaState]] = deque()
        self.outside = Outside()
        self.leads = 0  # how often another came to lead a state than who is known to those that tick many at once

    def enter(self, call: Callable[..., Any], *args: Any) -> Any:
        """`call(*args)`, which enters Lua.

        While lupa turns values into Python's, the gc may run, and with it a finaliser that uses a handle. It must not
        find the way in: it would clear the stack from which the values are taken.
        """
        me = get_ident()
        if me in self.entered:  # a part of a tick
            return call(*args)
        self.entered.add(me)
        try:
            return call(*args)
        finally:
            self.entered.discard(me)

    def check_not_entered(self, name: str) -> None:
        """`StateBusy` in a finaliser, or a signal handler, that runs while this thread is in Lua."""
        if get_ident() in self.entered:
            raise StateBusy(
                f"{name} cannot be used by a finaliser that runs in the middle of another call; use submit()"
            )

    def check_thread(self, name: str) -> None:
        """`StateBusy` while another thread ticks: a call in the middle of a frame would be no two times the same."""
        if self.thread is not None and self.thread != get_ident():
            raise StateBusy(
                f"{name} ticks on another thread; use handle.submit(...), which gives a future, or call between ticks"
            )


def caller() -> str:
    """ "game.py:12": the nearest line of Python that is not the engine's."""
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_ENGINE):
        frame = frame.f_back
    return f"{frame.f_code.co_filename}:{frame.f_lineno}"
