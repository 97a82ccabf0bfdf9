"""Requests that wait for an answer.

Each ends exactly once: with the reply, the handler's error, no handler, a target that is gone or has too much mail, a
time-out, or the end of the world.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from itertools import count
from threading import Lock
from typing import Any

from engine.bus.events import text
from engine.errors import EngineError, EntityGone, NoHandler, RequestTimeout, WorldClosed
from engine.lua.actor import Mail
from engine.lua.failures import script_error
from engine.payload import decode

_GAME = 0  # the asker of what Python asks


@dataclass(slots=True)
class Request:
    """A question to an entity: from a task (`asker` and its `token`), or from Python (`future` and a time-out)."""

    target: int
    name: bytes
    future: Future[Any] | None
    asker: int
    token: int
    timeout: float | None
    deadline: float | None = None


class Requests:
    """The open requests of a world, by number. `put` delivers mail to the entity that asked."""

    def __init__(self, put: Callable[[int, Mail], None]) -> None:
        self._put = put
        self._open: dict[int, Request] = {}
        # The same by who is asked and who asks (0 is the game): a script may have ten thousands of them open.
        self._to: dict[int, dict[int, Request]] = {}
        self._from: dict[int, dict[int, int]] = {}  # asker -> token -> number; the game's have their number as token
        self._lock = Lock()
        self._numbers = count(1)
        self._closed = False

    def __len__(self) -> int:
        return len(self._open)

    def open(
        self,
        target: int,
        name: bytes,
        future: Future[Any] | None = None,
        timeout: float | None = None,
        asker: int = 0,
        token: int = 0,
    ) -> int:
        """The number of a new request; from any thread."""
        if timeout is not None and not (isinstance(timeout, int | float) and 0 <= timeout < float("inf")):
            raise EngineError(f"request: timeout must be a finite number of seconds >= 0, got {timeout!r}")
        if self._closed:
            raise WorldClosed("the world is closed")
        number = next(self._numbers)
        request = Request(target, name, future, asker, token if asker else number, timeout)
        with self._lock:
            self._open[number] = request
            self._to.setdefault(target, {})[number] = request
            self._from.setdefault(asker, {})[request.token] = number
        return number

    def get(self, number: int) -> Request | None:
        return self._open.get(number)

    def reply(self, number: int, status: bytes, shape: bytes, leaves: tuple[Any, ...]) -> None:
        """What the asked entity gave: "ok" and a payload, "error" and a message, or "none"."""
        request = self._open.get(number)
        if request is None:
            return
        name = request.name.decode(errors="backslashreplace")
        if status == b"none":
            self.fail(number, NoHandler(f'entity {request.target} has no bus.handle for "{name}"'))
        elif status == b"error":
            said = decode(shape, leaves)
            message = text(said) if isinstance(said, bytes) else str(said)
            if request.future is not None:
                self.fail(number, script_error(message))
            else:
                self.fail(number, Exception(f'the handler of "{name}" in entity {request.target} failed: {message}'))
        else:
            self._take(number)
            if request.future is None:
                self._put(request.asker, (b"reply", request.token, True, shape, *leaves))
            elif request.future.set_running_or_notify_cancel():
                request.future.set_result(decode(shape, leaves))

    def fail_gone(self, number: int) -> None:
        """Nobody is there to answer."""
        self.fail(number, EntityGone(f"there is no entity {self._open[number].target}"))

    def fail(self, number: int, error: Exception) -> None:
        """End a request with an error: raised by `bus.request` in the task that asked, or by the future."""
        request = self._take(number)
        if request.future is None:
            self._put(request.asker, (b"reply", request.token, False, b".", str(error).encode()))
        elif request.future.set_running_or_notify_cancel():
            request.future.set_exception(error)

    def close(self) -> None:
        """The world ends: nobody will answer the game any more."""
        self._closed = True
        for number, request in list(self._open.items()):
            if request.future is not None:
                self.fail(number, WorldClosed(f"the world was closed before entity {request.target} answered"))
        for held in (self._open, self._to, self._from):
            held.clear()

    def leave(self, entity: int, unread: frozenset[int] | None = None) -> None:
        """An entity ended: what it was asked fails, what it asked is forgotten.

        With `unread` it was reloaded instead: these requests are still to be answered, by its new version.
        """
        what = "ended" if unread is None else "was reloaded"
        for number, request in list(self._to[entity].items()) if entity in self._to else ():
            if unread is None or number not in unread:
                name = request.name.decode(errors="backslashreplace")
                self.fail(number, EntityGone(f'entity {entity} {what} before it answered "{name}"'))
        if entity in self._from:
            self.forget(entity)

    def forget(self, entity: int, token: int | None = None) -> None:
        """Nobody waits any more for what `entity` asked, or for one question of it."""
        asked = self._from.get(entity, {})
        for known in list(asked) if token is None else [token]:
            if known in asked:
                self._take(asked[known])

    def parties(self) -> set[int]:
        """The entities that ask or are asked."""
        return {id for request in self._open.values() for id in (request.target, request.asker) if id}

    def expire(self, now: float) -> None:
        """Fail the requests from Python whose time is over; their time starts with their first frame."""
        for number in list(self._from.get(_GAME, {}).values()):
            request = self._open[number]
            if request.future is not None and request.future.cancelled():
                self._take(number)
            elif request.timeout is None:
                continue
            elif request.deadline is None:
                request.deadline = now + request.timeout
            elif now >= request.deadline:
                name = request.name.decode(errors="backslashreplace")
                self.fail(
                    number,
                    RequestTimeout(f'entity {request.target} did not answer "{name}" within {request.timeout:g} s'),
                )

    def _take(self, number: int) -> Request:
        with self._lock:
            request = self._open.pop(number)
            _drop(self._to, request.target, number)
            _drop(self._from, request.asker, request.token)
        return request


def _drop(groups: dict[int, dict[int, Any]], name: int, key: int) -> None:
    group = groups[name]
    del group[key]
    if not group:
        del groups[name]
