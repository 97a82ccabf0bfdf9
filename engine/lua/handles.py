"""Weak-owned references to Lua values.

A handle is a weak reference to its state and an integer that stands for the value in there. It never keeps the state
alive, and since an integer is never used twice it never answers for another value. A proxy, from `upgrade()`, keeps
the state until its `with` ends.
"""

from __future__ import annotations

import weakref
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, NoReturn

from engine.errors import HandleReleased, PayloadError, StateClosed
from engine.lua.commons import Held, caller
from engine.lua.proxies import FunctionProxy, Lease, Proxy, TableProxy

if TYPE_CHECKING:
    from engine.lua.state import LuaState


class Handle:
    """Weak-owned reference to a Lua value; dropping it, at any time and on any thread, is safe.

    `entity` is the one it belongs to, 0 for none: the handle dies with it. `place` says who made it, for `leaks()`.
    """

    __slots__ = ("__weakref__", "_entity", "_key", "_ledger", "_name", "_number", "_state")

    def __init__(self, state: LuaState, key: int, entity: int = 0, place: str = "") -> None:
        self._state: weakref.ref[LuaState] | None = state.weak
        self._name = state.name
        self._key = key
        self._entity = entity
        self._ledger = state.commons.ledger
        self._number = self._ledger.add(Held("handle", place or caller(), state.weak, entity))

    @property
    def alive(self) -> bool:
        """True while the value can be used: not released, and neither its entity nor its state has ended."""
        reference = self._state
        state = None if reference is None else reference()
        return state is not None and state.alive and state.holds(self._entity)

    def release(self) -> None:
        """Let go of the value; releasing twice does nothing."""
        reference, self._state = self._state, None
        if reference is not None:
            self._ledger.remove(self._number)
            state = reference()
            if state is not None:
                state.drop(self._key)

    def key_for(self, state: LuaState) -> int:
        """The integer of this value in `state`; `PayloadError` when it lives in another one."""
        own = self._strong()
        if own is not state:
            raise PayloadError(f"a handle of {own.name_beside(state)} cannot be used on {state.name}; send plain data")
        return self._key

    def _strong(self) -> LuaState:
        if self._state is None:
            raise HandleReleased(f"the handle of a value of {self._name} was released")
        state = self._state()
        if state is None or not state.alive:
            raise StateClosed(f"{self._name} is closed, as it ended or was reloaded; its handles cannot be used")
        if not state.holds(self._entity):
            raise StateClosed(f"entity {self._entity} has ended; its handles cannot be used")
        return state

    def _lease(self) -> tuple[Lease, int]:
        state = self._strong()
        key = state.again(self._key, lease=True)
        return Lease(state, key, self._entity), key

    def __del__(self) -> None:
        if getattr(self, "_number", None) is not None:
            self.release()

    def __reduce_ex__(self, _: object) -> NoReturn:
        raise TypeError(f"a {type(self).__name__} cannot be copied or pickled; copy what `to_dict()` gives")

    def __repr__(self) -> str:
        condition = "released" if self._state is None else "alive" if self.alive else "dead"
        return f"<{type(self).__name__} of {self._name}, {condition}>"


class TableHandle(Handle):
    """Weak-owned reference to a Lua table."""

    __slots__ = ()

    def __getitem__(self, key: object) -> NoReturn:
        raise TypeError(f"a handle is weak, so it has no fields: with handle.upgrade() as table: table[{key!r}]")

    def __setitem__(self, key: object, value: object) -> NoReturn:
        raise TypeError(f"a handle is weak, so it has no fields: with handle.upgrade() as table: table[{key!r}] = ...")

    def upgrade(self) -> TableProxy:
        """The table, kept until the `with` ends; `HandleReleased` or `StateClosed` where there is none any more."""
        return TableProxy(*self._lease(), root=True)

    def try_upgrade(self) -> TableProxy | None:
        """The same, or None."""
        try:
            return self.upgrade()
        except (HandleReleased, StateClosed):
            return None


class FunctionHandle(Handle):
    """Weak-owned reference to a Lua function; call it with plain data and handles."""

    __slots__ = ()

    def upgrade(self) -> FunctionProxy:
        """The function, kept until the `with` ends; `HandleReleased` or `StateClosed` where there is none any more."""
        return FunctionProxy(*self._lease(), root=True)

    def try_upgrade(self) -> FunctionProxy | None:
        """The same, or None."""
        try:
            return self.upgrade()
        except (HandleReleased, StateClosed):
            return None

    def __call__(self, *args: Any) -> Any:
        """Call the function now, as a task of its entity that may not wait; results come as `LuaState.run` gives them.

        On the ticking thread, or on any while the world does not tick; `StateBusy` otherwise, and inside a host
        function that the state itself has called.
        """
        return self._strong().call_key(self._key, args, self._entity)

    def submit(self, *args: Any) -> Future[Any]:
        """Call the function on the ticking thread at the start of the next frame; from any thread.

        The future ends with what the function returns or raises, with `StateClosed` where its state ended before.
        """
        state = self._strong()
        future: Future[Any] = Future()
        if any(isinstance(value, Proxy) for value in args):
            raise PayloadError("submit: a proxy ends with its `with`, maybe before the call; hand over a handle")
        flat = state.arguments(args)
        state.submit(lambda: self._carry_out(flat, args, future))
        return future

    def _carry_out(self, flat: list[Any], _args: tuple[Any, ...], future: Future[Any]) -> None:
        """`_args` only keeps the handles among the arguments until now."""
        if future.set_running_or_notify_cancel():
            try:
                future.set_result(self._strong().call_flat(self._key, flat, self._entity))
            except Exception as error:
                # Its frames hold the state and this very future: a cycle, and a strong path to the runtime.
                error.__context__ = None
                future.set_exception(error.with_traceback(None))
