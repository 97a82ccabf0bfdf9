"""The world's shared data: a copy in, a copy out, and a word to those who watch.

While a frame runs, only what scripts set changes a value, between two rounds; what the game sets meanwhile, on whatever
thread, waits for the end of the frame. So no state sees a value change while it ticks.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from threading import Lock
from typing import Any, NamedTuple

from engine.bus.events import Event, Listener, text, utf8
from engine.errors import EngineError, LimitError
from engine.lua.parts import size_of
from engine.payload import Encoded, decode


class Change(NamedTuple):
    """A key whose value changed since the last frame, and who is to be told: (entity, callback), and the game."""

    key: bytes
    value: Encoded
    watchers: list[tuple[int, int]]
    listeners: list[Listener]


MOST_KEYS = 10_000
MOST_BYTES = 64 * 1024 * 1024
"""Of all values together, as far as scripts set them."""

_NOTHING: Encoded = (b"_", ())


class Shared:
    """Plain data by key, from any thread. A key is just a text, dots or not. Entities use `shared` in Lua."""

    def __init__(self, encode: Callable[[object, str], Encoded]) -> None:
        self._encode = encode
        self._values: dict[bytes, Encoded] = {}
        self._versions: dict[bytes, int] = {}
        self._writes = 0
        self._late: dict[bytes, Encoded] = {}  # set by the game while a frame runs
        self._running = False
        self._lock = Lock()
        self._watchers: dict[bytes, dict[tuple[int, int], None]] = {}
        self._keys: dict[int, dict[int, bytes]] = {}  # entity -> callback -> key
        self._listeners: dict[bytes, list[Listener]] = {}
        self.changed: dict[bytes, None] = {}  # keys of which somebody is to be told
        self._sizes: dict[bytes, int] = {}
        self._size = 0
        self._reserved: dict[bytes, int] = {}  # keys that scripts set in this frame, and the bytes that come with them

    def get(self, key: str, default: Any = None) -> Any:
        """A copy of the newest value, or `default` where there is none."""
        word = _checked(key)
        with self._lock:
            found = self._late.get(word) or self._values.get(word, _NOTHING)
        return default if found == _NOTHING else decode(*found)

    def set(self, key: str, value: object) -> None:
        """Set a copy of the value; None removes it. Who watches it is told in the next frame.

        Scripts see it at once, or, where a frame is running, from the next one on.
        """
        word, encoded = _checked(key), self._encode(value, f"shared.{key}")
        with self._lock:
            if self._running:
                self._late[word] = encoded
            else:
                self.write(word, *encoded)

    def version(self, key: str) -> int:
        """A number that is higher after each time that the key was set, 0 where it has no value.

        It counts what scripts see: to look at a big value only when it is new.
        """
        return self._versions.get(_checked(key), 0)

    def keys(self) -> list[str]:
        return [text(key) for key in self._values.copy()]

    def watch(self, key: str, listener: Callable[[Event], object]) -> Listener:
        """Call `listener(event)` with the last value, once in the frame after any in which it was set."""
        made = Listener(_forgetter(self), key, listener)
        word = _checked(key)
        with self._lock:
            self._listeners[word] = [*self._listeners.get(word, ()), made]
        return made

    # What the world uses.

    def begin_frame(self) -> None:
        """From here on, what the game sets waits."""
        with self._lock:
            self._running = True
        self._reserved.clear()

    def end_frame(self) -> None:
        """Take what the game set meanwhile."""
        with self._lock:
            self._running = False
            late, self._late = self._late, {}
            for key, encoded in late.items():
                self.write(key, *encoded)

    def read(self, key: bytes) -> Encoded:
        return self._values.get(key, _NOTHING)

    def has_room(self, key: bytes) -> bool:
        """Keys that scripts make up must not fill the memory."""
        return key in self._values or len(self._values) < MOST_KEYS

    def reserve(self, key: bytes, size: int) -> None:
        """A script is about to set `key` to so many bytes; `LimitError` where there is no room for them."""
        known = key in self._values or key in self._reserved
        if not known and len(self._values) + len(self._reserved) >= MOST_KEYS:
            raise LimitError(no_room(key))
        more = size - self._reserved.get(key, self._sizes.get(key, 0))
        if more > 0 and self._size + sum(self._reserved.values()) + more > MOST_BYTES:
            raise LimitError(
                f"the shared values have {self._size:,} bytes, {MOST_BYTES:,} at most, and no room for {size:,} in "
                f"{text(key)!r}; set some to nil, or keep less in them"
            )
        self._reserved[key] = size

    def write(self, key: bytes, shape: bytes, leaves: tuple[Any, ...]) -> None:
        self._reserved.pop(key, None)
        self._size -= self._sizes.pop(key, 0)
        if shape == b"_":
            self._values.pop(key, None)
            self._versions.pop(key, None)
        else:
            self._writes += 1
            self._sizes[key] = size = len(shape) + size_of(leaves)
            self._size += size
            self._values[key], self._versions[key] = (shape, leaves), self._writes
        if key in self._watchers or key in self._listeners:
            self.changed[key] = None

    def subscribe(self, entity: int, callback: int, key: bytes) -> None:
        self._watchers.setdefault(key, {})[entity, callback] = None
        self._keys.setdefault(entity, {})[callback] = key

    def unwatch(self, entity: int, callback: int) -> None:
        keys = self._keys.get(entity, {})
        key = keys.pop(callback, None)
        if key is not None:
            if not keys:
                del self._keys[entity]
            del self._watchers[key][entity, callback]
            if not self._watchers[key]:
                del self._watchers[key]

    def leave(self, entity: int) -> None:
        for callback in list(self._keys.get(entity, ())):
            self.unwatch(entity, callback)

    def watchers(self) -> frozenset[int]:
        """The entities that watch anything."""
        return frozenset(self._keys)

    def watched(self, entity: int) -> dict[int, bytes]:
        """Callback -> key, of all that an entity watches."""
        return dict(self._keys.get(entity, {}))

    def take_changes(self) -> list[Change]:
        """What changed since the last call, in the order of first changes; once per frame."""
        changed, self.changed = self.changed, {}
        return [
            Change(key, self.read(key), sorted(self._watchers.get(key, ())), self._listeners.get(key, []))
            for key in changed
        ]

    def forget(self, listener: Listener) -> None:
        """A listener of the game was cancelled."""
        key = listener.name.encode()
        with self._lock:
            left = [other for other in self._listeners.get(key, ()) if other is not listener]
            if left:
                self._listeners[key] = left
            else:
                self._listeners.pop(key, None)


def no_room(key: bytes) -> str:
    return (
        f"there are {MOST_KEYS:,} shared values, and no room for {text(key)[:200]!r}; "
        "set some to nil, or keep tables of more"
    )


def _checked(key: str) -> bytes:
    if not isinstance(key, str):
        raise EngineError(f"the key of a shared value must be a string, got {key!r}")
    return utf8("the key of a shared value", key)


def _forgetter(shared: Shared) -> Callable[[Listener], None]:
    """`shared.forget` for a listener, which must not keep the world."""
    reference = weakref.ref(shared)

    def forget(listener: Listener) -> None:
        known = reference()
        if known is not None:
            known.forget(listener)

    return forget
