"""A state that lives in a child process, as the world sees it: like any other actor, and nothing of Lua in here."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from types import MethodType
from typing import Any

from engine.lua.actor import Actor, Mail, Result, Terms
from engine.lua.clock import Clock
from engine.lua.state import Ask
from engine.process import guard
from engine.process.process import CallFailed, Process, ProcessEnded
from engine.process.wire import Refused


class RemoteActor(Actor):
    """One state of a world, in a child process, of which nothing is believed that a state could not know or do."""

    _quiet = False
    _lua_error = CallFailed

    def __init__(self, key: int, clock: Clock, answer: Ask, terms: Terms, process: Process) -> None:
        self.process = process
        self.known = guard.Known()
        self._bounds = dataclasses.astuple(terms.limits)
        unheld = terms.limits.but(instructions=None, seconds=None, memory=None)  # on this side
        super().__init__(key, clock, answer, dataclasses.replace(terms, limits=unheld))
        self.limits = terms.limits

    def _open(self, answer: Ask, terms: Terms, bare: object) -> None:
        self._runtime = self.awaits = None
        self._answers: Ask = MethodType(answer, self.weak)
        self._number = self.process.open(self, self.key, terms.seed, terms.fixed_step, terms.held, *self._bounds)
        self._runtime = _Elsewhere(self.process, self._number)  # type: ignore[assignment]

    @property
    def permit(self) -> Any:
        return self.known.permit

    @permit.setter
    def permit(self, permit: Any) -> None:
        self.known.permit = permit

    @property
    def is_kept(self) -> bool:
        """True until it is closed and the last `with` of a proxy has ended."""
        return self._runtime is not None

    # Ticks.

    def start(self) -> tuple[int, Any, list[Mail]]:
        """What is to be sent for a tick: the inbox is empty from here on."""
        inbox, self.inbox = self.inbox, []
        for mail in inbox:
            self.known.note(mail)
        return self._number, self.clock.args, inbox

    def _send(self, args: Any) -> Result:
        if not self.process.started(self._number):
            self.process.start([self.start()])
        return self.process.result(self._number, self.known)

    def turn(self, args: tuple[Any, ...], error: Exception | None = None) -> Result:
        return error

    def lead_again(self) -> None:
        """Who leads is the child's business."""

    def hear(self, heard: tuple[Any, ...]) -> Result:
        self.inbox.insert(0, heard[4:])
        return self._send(heard[:4])

    def deliver(self, args: tuple[Any, ...]) -> Result:
        return self._send(args)

    def hand(self, mail: Mail) -> Result:
        try:
            self.known.note(mail)
            result = self.process.hand(self._number, self.clock.args, mail)
            try:
                return guard.checked(result, self.known, snapshot=mail[0] == b"snapshot")
            except Refused as error:
                self.process.refuse(str(error))
        except Exception as error:
            return error
        finally:
            if mail[0] in (b"final", b"discard"):
                self.known.loaded.discard(mail[1])

    def whole(self, result: Result) -> Result:
        return result

    def answer(self, word: Any, entity: Any, *args: Any) -> tuple[Any, ...]:
        """What the world says to a question of a script in here: true and values, or false and why not."""
        self.known.check_question(word, entity, args)
        said = self._answers(word, entity, *args)
        self.known.answered(word, args, said)
        return said

    # What else the world asks of a state.

    def check_room(self, size: int = 0, *, over: int = 0) -> None:
        """The child looks after its own memory."""

    def let_go(self) -> None:
        with suppress(ProcessEnded):  # which let go of everything
            super().let_go()

    def note_spans(self, now: Callable[[], float]) -> None:
        self.process.trace(self._number)

    def blame(self, error: Exception) -> None:
        with suppress(ProcessEnded):
            self.process.refuse(f"{type(error).__name__}: {error}")

    def husk(self) -> object:
        return self._runtime

    def close(self) -> None:
        super(Actor, self).close()


class _Elsewhere:
    """Stands for the VM; when the last one lets go of it, the child does."""

    read = None  # no script ahead

    def __init__(self, process: Process, number: int) -> None:
        self._process = process
        self._number = number

    def kept(self, module: str, word: str) -> Callable[..., Any]:
        return partial(self._process.call, self._number, module, word)

    get = kept

    def __del__(self) -> None:
        self._process.gone.append(self._number)


def start_all(actors: Sequence[Actor]) -> None:
    """Let every child begin with what is due there, before anyone waits for one of them."""
    entries: dict[Process, list[tuple[int, Any, list[Mail]]]] = {}
    for actor in actors:
        if isinstance(actor, RemoteActor) and not actor.process.ended:
            entries.setdefault(actor.process, []).append(actor.start())
    for process, due in entries.items():
        with suppress(ProcessEnded):  # its states find out when their turn comes
            process.start(due)
