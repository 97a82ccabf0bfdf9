"""The world's shared data: a copy in, a copy out, and a word to those who watch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from engine.payload import Encoded, decode


class Shared:
    """Plain data by key. `get` and `set` for the game; entities use `shared` in Lua."""

    def __init__(self, encode: Callable[[object, str], Encoded]) -> None:
        self._encode = encode
        self._values: dict[bytes, Encoded] = {}
        self._watchers: dict[bytes, dict[tuple[int, int], None]] = {}
        self._keys: dict[tuple[int, int], bytes] = {}
        self._changed: dict[bytes, None] = {}

    def get(self, key: str, default: Any = None) -> Any:
        """A copy of the value, or `default` where there is none."""
        found = self._values.get(key.encode())
        return default if found is None else decode(*found)

    def set(self, key: str, value: object) -> None:
        """Set a copy of the value; None removes it. Entities that watch it are told in the next frame."""
        self.write(key.encode(), *self._encode(value, f"shared.{key}"))

    def keys(self) -> list[str]:
        return [key.decode(errors="backslashreplace") for key in self._values]

    def read(self, key: bytes) -> Encoded:
        return self._values.get(key, (b"_", ()))

    def write(self, key: bytes, shape: bytes, leaves: tuple[Any, ...]) -> None:
        if shape == b"_":
            self._values.pop(key, None)
        else:
            self._values[key] = (shape, leaves)
        if key in self._watchers:
            self._changed[key] = None

    def watch(self, entity: int, callback: int, key: bytes) -> None:
        self._watchers.setdefault(key, {})[entity, callback] = None
        self._keys[entity, callback] = key

    def unwatch(self, entity: int, callback: int) -> None:
        key = self._keys.pop((entity, callback), None)
        if key is not None:
            del self._watchers[key][entity, callback]
            if not self._watchers[key]:
                del self._watchers[key]

    def leave(self, entity: int) -> None:
        for watcher in [watcher for watcher in self._keys if watcher[0] == entity]:
            self.unwatch(*watcher)

    def watchers(self) -> frozenset[int]:
        """The entities that watch anything."""
        return frozenset(entity for entity, _ in self._keys)

    def watched(self, entity: int) -> dict[int, bytes]:
        """Callback -> key, of all that an entity watches."""
        return {callback: key for (who, callback), key in self._keys.items() if who == entity}

    def take_changes(self) -> list[tuple[bytes, list[tuple[int, int]]]]:
        """Keys that changed since the last call, with those who watch them; once per frame."""
        changed, self._changed = self._changed, {}
        return [(key, list(self._watchers.get(key, ()))) for key in changed]
