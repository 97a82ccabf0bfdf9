"""What travels on the bus, and who in the game listens to it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from engine.checks import check_listener
from engine.errors import EngineError
from engine.payload import Encoded, decode

ENGINE = False
"""The sender of what comes from outside, as it crosses into Lua."""


class Event:
    """What a listener gets. `sender` is an entity id, or None for the engine; the payload is decoded when asked for."""

    __slots__ = ("_encoded", "_payload", "name", "sender", "shape")

    def __init__(self, name: str, encoded: Encoded, sender: int | None) -> None:
        self.name = name
        self.sender = sender
        self.shape = encoded[0]
        self._encoded: Encoded | None = encoded
        self._payload: Any = None

    @property
    def payload(self) -> Any:
        if self._encoded is not None:
            self._payload = decode(*self._encoded)
            self._encoded = None
        return self._payload

    def __repr__(self) -> str:
        return f"Event({self.name!r}, {self.payload!r}, sender={self.sender})"


class Listener:
    """A Python callable that listens; `cancel()` ends it, also while its event is being delivered."""

    __slots__ = ("_forget", "active", "callback", "name", "once")

    def __init__(
        self,
        forget: Callable[[Listener], None],
        name: str,
        callback: Callable[[Event], object],
        once: bool = False,
    ) -> None:
        check_listener(callback)
        self._forget = forget
        self.name = name
        self.callback = callback
        self.once = once
        self.active = True

    def cancel(self) -> None:
        """Stop listening; cancelling twice does nothing."""
        if self.active:
            self.active = False
            self._forget(self)


def id_of(entity: Any) -> int:
    """The id of an `Entity`, or an id as it is."""
    found = entity if isinstance(entity, int) else getattr(entity, "id", None)
    if not isinstance(found, int) or isinstance(found, bool):
        raise EngineError(f"expected an entity or its id, got {entity!r}")
    return found


def text(name: bytes) -> str:
    return name.decode(errors="backslashreplace")


def checked(name: str) -> bytes:
    """The name of an event as it crosses."""
    if not isinstance(name, str) or not name:
        raise EngineError(f"the name of an event must be a string that is not empty, got {name!r}")
    return utf8("the name of an event", name)


def utf8(what: str, words: str) -> bytes:
    """A word of the game as it crosses."""
    try:
        return words.encode()
    except UnicodeEncodeError:
        raise EngineError(f"{what} must be text, and this has lone surrogates: {words!r}") from None


def families(name: str) -> list[str]:
    """ "door.left.opened" belongs to "door.left.*", "door.*" and "*"."""
    parts = name.split(".")
    return [".".join([*parts[:length], "*"]) for length in range(len(parts) - 1, -1, -1)]
