"""Weak-owned references to Lua values.

A handle is a weak reference to its state and an integer that stands for the value in there. It never keeps the state
alive, and since an integer is never used twice it never answers for another value. A proxy, from `upgrade()`, keeps
the state until its `with` ends.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Self

from engine.errors import HandleReleased, PayloadError, StateClosed
from engine.payload import decode

if TYPE_CHECKING:
    from engine.lua.state import LuaState

Key = str | bytes | int | float | bool


class Handle:
    """Weak-owned reference to a Lua value; dropping it, at any time and on any thread, is safe."""

    __slots__ = ("__weakref__", "_entity", "_key", "_name", "_state")

    def __init__(self, state: LuaState, key: int, entity: int = 0) -> None:
        self._state: weakref.ref[LuaState] | None = weakref.ref(state)
        self._name = state.name
        self._key = key
        self._entity = entity

    @property
    def alive(self) -> bool:
        state = self._state() if self._state is not None else None
        return state is not None and state.alive

    def release(self) -> None:
        """Let go of the value; releasing twice does nothing."""
        state = self._state() if self._state is not None else None
        self._state = None
        if state is not None:
            state.drop(self._key)

    def key_for(self, state: LuaState) -> int:
        """The integer of this value in `state`; `PayloadError` when it lives in another one."""
        own = self._strong()
        if own is not state:
            raise PayloadError(f"a handle of {own.name} cannot be used on {state.name}; send plain data")
        return self._key

    def _strong(self) -> LuaState:
        if self._state is None:
            raise HandleReleased(f"the handle of a value of {self._name} was released")
        state = self._state()
        if state is None or not state.alive:
            raise StateClosed(f"{self._name} is closed; its handles cannot be used")
        return state

    def __del__(self) -> None:
        reference = getattr(self, "_state", None)
        state = reference() if reference is not None else None
        if state is not None:
            state.drop(self._key)

    def __repr__(self) -> str:
        condition = "released" if self._state is None else "alive" if self.alive else "dead"
        return f"<{type(self).__name__} of {self._name}, {condition}>"


class TableHandle(Handle):
    """Weak-owned reference to a Lua table."""

    __slots__ = ()

    def upgrade(self) -> TableProxy:
        state = self._strong()
        return TableProxy(state, state.function("handles", "again")(self._key), self._entity)

    def try_upgrade(self) -> TableProxy | None:
        try:
            return self.upgrade()
        except (HandleReleased, StateClosed):
            return None


class FunctionHandle(Handle):
    """Weak-owned reference to a Lua function; call it with plain data and handles."""

    __slots__ = ()

    def upgrade(self) -> FunctionProxy:
        state = self._strong()
        return FunctionProxy(state, state.function("handles", "again")(self._key), self._entity)

    def try_upgrade(self) -> FunctionProxy | None:
        try:
            return self.upgrade()
        except (HandleReleased, StateClosed):
            return None

    def __call__(self, *args: Any) -> Any:
        return self._strong().call_key(self._key, args, self._entity)


class Proxy:
    """A strong reference to a Lua value, until its `with` ends."""

    __slots__ = ("_entity", "_key", "_made", "_name", "_state")

    def __init__(self, state: LuaState, key: int, entity: int = 0) -> None:
        self._state: LuaState | None = state
        self._name = state.name
        self._key = key
        self._entity = entity
        self._made: list[Proxy] = []

    def __enter__(self) -> Self:
        self._live()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the proxy and all that was read through it."""
        for proxy in self._made:
            proxy.close()
        self._made.clear()
        if self._state is not None:
            self._state.drop(self._key)
            self._state = None

    def __del__(self) -> None:
        if getattr(self, "_state", None) is not None:
            self.close()

    def handle(self) -> Handle:
        """A handle to the same value."""
        raise NotImplementedError

    def key_for(self, state: LuaState) -> int:
        own = self._live()
        if own is not state:
            raise PayloadError(f"a value of {own.name} cannot be used on {state.name}; send plain data")
        return self._key

    def _live(self) -> LuaState:
        if self._state is None:
            raise HandleReleased(f"this value of {self._name} was read in a `with` that has ended")
        if not self._state.alive:
            raise StateClosed(f"{self._name} is closed")
        return self._state

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Proxy):
            return NotImplemented
        state = self._live()
        return other._live() is state and bool(state.function("handles", "same")(self._key, other._key))

    __hash__ = None  # type: ignore[assignment]


class TableProxy(Proxy):
    """A Lua table as a mapping: get, set, del, len, iteration over its keys, `in`, `to_dict`.

    Reads and writes are raw: no metamethod runs, but defaults behind `__index` tables are found. Tables and
    functions read from it are proxies that end with it.
    """

    __slots__ = ()

    def __getitem__(self, key: Key) -> Any:
        value = self.get(key)
        if value is None:
            raise KeyError(key)
        return value

    def get(self, key: Key, default: Any = None) -> Any:
        """The value, a proxy for tables and functions, or `default` where there is none."""
        state = self._live()
        kind, what, value = (*state.function("handles", "get")(self._key, _flat(key)), None)[:3]
        if kind == b"plain":
            return default if what == b"_" else decode(b".", (value,))
        if kind in (b"table", b"function"):
            proxy = (TableProxy if kind == b"table" else FunctionProxy)(state, what, self._entity)
            self._made.append(proxy)
            return proxy
        raise PayloadError(f"{key!r} is a {what.decode()}, which cannot leave its state")

    def __setitem__(self, key: Key, value: Any) -> None:
        state = self._live()
        if isinstance(value, Handle | Proxy):
            state.function("handles", "link")(self._key, _flat(key), value.key_for(state))
        else:
            shape, leaves = state.encode(value, str(key))
            state.function("handles", "set")(self._key, _flat(key), shape, *leaves)

    def __delitem__(self, key: Key) -> None:
        if key not in self:
            raise KeyError(key)
        self[key] = None

    def __contains__(self, key: Key) -> bool:
        return self.get(key) is not None

    def __iter__(self) -> Iterator[Any]:
        """Over the keys as they are now; the table may change meanwhile."""
        keys = self._live().function("handles", "keys")(self._key)
        listed = keys if isinstance(keys, tuple) else () if keys is None else (keys,)
        return iter([decode(b".", (key,)) for key in listed])

    def __len__(self) -> int:
        """The number of fields (keys), as for a dict."""
        return sum(1 for _ in self)

    def keys(self) -> list[Any]:
        return list(self)

    def items(self) -> list[tuple[Any, Any]]:
        return [(key, self[key]) for key in self]

    def copy(self) -> Any:
        """The table as plain data, a list where it is an array; `PayloadError` with the path of what is none."""
        ok, shape, *leaves = self._live().function("handles", "copy")(self._key)
        if not ok:
            raise PayloadError(shape.decode(errors="replace"))
        return decode(shape, leaves)

    def to_dict(self) -> dict[Any, Any]:
        """The table as a dict of plain data, also where it is an array (keys from 1)."""
        value = self.copy()
        return dict(enumerate(value, 1)) if isinstance(value, list) else value

    def handle(self) -> TableHandle:
        state = self._live()
        return TableHandle(state, state.function("handles", "again")(self._key), self._entity)

    def __repr__(self) -> str:
        return f"<Lua table of {self._name}>"


class FunctionProxy(Proxy):
    """A Lua function; call it with plain data, handles and proxies."""

    __slots__ = ()

    def __call__(self, *args: Any) -> Any:
        return self._live().call_key(self._key, args, self._entity)

    def handle(self) -> FunctionHandle:
        state = self._live()
        return FunctionHandle(state, state.function("handles", "again")(self._key), self._entity)

    def __repr__(self) -> str:
        return f"<Lua function of {self._name}>"


def _flat(key: Key) -> Any:
    """A key as lupa may be given it; `PayloadError` for what cannot be a key of a Lua table."""
    if isinstance(key, str):
        return key.encode()
    if isinstance(key, float) and key != key:
        raise PayloadError("NaN cannot be the key of a table")
    if isinstance(key, bytes | bool | int | float):
        return key
    raise PayloadError(f"{key!r} cannot be the key of a table: it is a {type(key).__name__}")
