"""Strong references to Lua values, for the time of a `with`.

Every read, write and walk happens in a trusted Lua function and is raw: no metamethod of a script runs, so a hostile
metatable has no effect. What a proxy gives is plain data, or a proxy that ends with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NoReturn, Self

from engine.errors import HandleReleased, PayloadError, StateClosed
from engine.lua.commons import Held, caller
from engine.lua.parts import fetched, staged
from engine.payload import decode

if TYPE_CHECKING:
    from engine.lua.state import LuaState

Key = str | bytes | int | float | bool


class Lease:
    """Keeps one state for the proxies of one `upgrade()`, and the values that they stand for."""

    __slots__ = ("__weakref__", "_keys", "_number", "entity", "name", "state")

    def __init__(self, state: LuaState, key: int, entity: int) -> None:
        self.state: LuaState | None = state
        self.name = state.name
        self.entity = entity
        self._keys = {key}
        self._number = state.commons.ledger.add(Held("proxy", caller(), state.weak, entity))
        state.pin(self)

    def keep(self, key: int) -> int:
        self._keys.add(key)
        return key

    def forget(self, key: int) -> None:
        if self.state is not None and key in self._keys:
            self._keys.discard(key)
            self.state.drop(key)

    def end(self) -> None:
        state, self.state = self.state, None
        if state is not None:
            for key in self._keys:
                state.drop(key)
            state.commons.ledger.remove(self._number)
            state.unpin(self)

    def __del__(self) -> None:
        if getattr(self, "state", None) is not None:
            self.end()


class Proxy:
    """A strong reference to a Lua value, until its `with` ends, or that of the proxy it was read from."""

    __slots__ = ("_key", "_lease", "_root")

    def __init__(self, lease: Lease, key: int, *, root: bool = False) -> None:
        self._lease = lease
        self._key: int | None = key
        self._root = root

    def __enter__(self) -> Self:
        self._live()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the proxy; one that came from `upgrade()` ends all that was read through it."""
        key, self._key = self._key, None
        if self._root:
            self._lease.end()
        elif key is not None:
            self._lease.forget(key)

    def __del__(self) -> None:
        key = getattr(self, "_key", None)
        if key is not None:
            self._lease.forget(key)

    def __reduce_ex__(self, _: object) -> NoReturn:
        raise TypeError("a proxy cannot be copied or pickled; copy what `to_dict()` gives, or keep a handle")

    @property
    def entity(self) -> int:
        """The entity that the value belongs to, 0 for none."""
        return self._lease.entity

    def key_for(self, state: LuaState) -> int:
        """The integer of this value in `state`; `PayloadError` when it lives in another one."""
        own, key = self._live()
        if own is not state:
            raise PayloadError(f"a value of {own.name_beside(state)} cannot be used on {state.name}; send plain data")
        return key

    def _live(self) -> tuple[LuaState, int]:
        state = self._lease.state
        if state is None or self._key is None:
            raise HandleReleased(f"this value of {self._lease.name} was read in a `with` that has ended")
        return state, self._key

    def _ask(self, word: str, *args: Any) -> Any:
        """What a trusted function says of this value."""
        state, key = self._live()
        answer = state.trusted(word, key, *args)
        if answer == b"gone" or (type(answer) is tuple and answer[0] == b"gone"):
            raise StateClosed(f"entity {self._lease.entity} has ended; its values are gone")
        return answer

    def __eq__(self, other: object) -> bool:
        """True for the very same Lua value (`rawequal`)."""
        if not isinstance(other, Proxy):
            return NotImplemented
        state, key = self._live()
        own, other_key = other._live()
        return own is state and bool(state.trusted("same", key, other_key))

    __hash__ = None  # type: ignore[assignment]


class TableProxy(Proxy):
    """A Lua table as a mapping: get, set, del, len, iteration over its keys, `in`, `update`, `pop`, `to_dict`.

    Reads and writes are raw, but defaults behind `__index` tables are found, as with `self` of an entity.
    """

    __slots__ = ()

    __reversed__ = None  # a length and items would make Python try 0, 1, ...

    def __getitem__(self, key: Key) -> Any:
        value = self.get(key, _NOTHING)
        if value is _NOTHING:
            raise KeyError(key)
        return value

    def get(self, key: Key, default: Any = None) -> Any:
        """The value, a proxy for tables and functions, or `default` where there is none."""
        kind, what, *value = self._ask("get", self._flat(key))
        if kind == b"plain":
            return decode(what, value) if value else default
        if kind == b"other":
            raise PayloadError(f"{key!r} is a {what.decode()}, which cannot leave its state")
        return (TableProxy if kind == b"table" else FunctionProxy)(self._lease, self._lease.keep(what))

    def __setitem__(self, key: Key, value: Any) -> None:
        state, _ = self._live()
        place = self._flat(key)
        if hasattr(value, "key_for"):
            self._ask("link", place, value.key_for(state))
        else:
            shape, leaves = state.encode(value, f"the value for {key!r}")
            self._ask("set", place, shape, *staged(state, leaves))
        state.touch()

    def __delitem__(self, key: Key) -> None:
        if not self._ask("own", self._flat(key)):
            raise KeyError(key)
        self[key] = None

    def __contains__(self, key: Key) -> bool:
        return bool(self._ask("has", self._flat(key)))

    def __iter__(self) -> Iterator[Any]:
        """Over the keys as they are now; the table may change meanwhile. Keys that are no plain data are left out."""
        return iter(self.keys())

    def __len__(self) -> int:
        """The number of fields, as for a dict, whatever their keys are."""
        return int(self._ask("size"))

    def keys(self) -> list[Any]:
        state, _ = self._live()
        return [decode(b".", (key,)) for key in fetched(state, self._ask("keys"))]

    def items(self) -> list[tuple[Any, Any]]:
        """Key and value of the fields; threads are left out, since they cannot leave their state."""
        return [(key, self.get(key)) for key in self.keys() if self._ask("has", self._flat(key)) != b"other"]

    def values(self) -> list[Any]:
        """The values of `items()`, in the same order."""
        return [value for _, value in self.items()]

    def pop(self, key: Key, *default: Any) -> Any:
        """Take a field of the table out and give its value, or the default where it has none."""
        if default and not self._ask("own", self._flat(key)):
            return default[0]
        value = self[key]
        del self[key]
        return value

    def update(self, *others: Mapping[Key, Any] | Iterable[tuple[Key, Any]], **fields: Any) -> None:
        """Set the fields of a mapping, or of pairs, and those given by name."""
        for key, value in dict(*others, **fields).items():
            self[key] = value

    def copy(self) -> Any:
        """The table as plain data, a list where it is an array; `PayloadError` with the path of what is none."""
        state, _ = self._live()
        answer = self._ask("copy")
        if answer[0] == b"refused":
            raise PayloadError(answer[1].decode(errors="replace"))
        shape, *leaves = fetched(state, answer)
        return decode(shape, leaves)

    def to_dict(self) -> dict[Any, Any]:
        """The table as a dict of plain data, also where it is an array (keys from 1)."""
        value = self.copy()
        return dict(enumerate(value, 1)) if isinstance(value, list) else value

    def _flat(self, key: Key) -> Any:
        """A key as lupa may be given it; `PayloadError` for what cannot be a key of a Lua table."""
        state, _ = self._live()
        if isinstance(key, float) and key != key:
            raise PayloadError("NaN cannot be the key of a table")
        if not isinstance(key, str | bytes | bool | int | float):
            raise PayloadError(f"{key!r} cannot be the key of a table: it is a {type(key).__name__}")
        return state.encode(key, "the key")[1][0]

    def __repr__(self) -> str:
        return f"<Lua table of {self._lease.name}>"


class FunctionProxy(Proxy):
    """A Lua function; call it with plain data, handles and proxies."""

    __slots__ = ()

    def __call__(self, *args: Any) -> Any:
        state, key = self._live()
        return state.call_key(key, args, self._lease.entity)

    def __repr__(self) -> str:
        return f"<Lua function of {self._lease.name}>"


_NOTHING = object()
