"""One Lua VM: runs text, keeps values for handles, and ticks through its pump.

Nothing of lupa leaves this folder: results are plain data or handles.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Collection
from contextlib import suppress
from functools import partial
from typing import Any, NoReturn, Self

from engine.checks import refuse_copies
from engine.errors import EngineError, LimitError, PayloadError, ScriptError, StateBusy, StateClosed
from engine.limits import Limits, limits_for
from engine.lua.commons import Commons
from engine.lua.failures import script_error
from engine.lua.handles import FunctionHandle, Handle, TableHandle
from engine.lua.parts import PART, fetched, size_of, staged
from engine.lua.proxies import FunctionProxy, Lease, Proxy, TableProxy
from engine.lua.runtime import ROOM, Runtime, Text
from engine.lua.versions import check_version, error_of
from engine.payload import Encoded, decode, encode

STANDALONE = 0
"""Id of the one entity of a state that has no world."""

Ask = Callable[..., tuple[Any, ...]]


class LuaState:
    """One Lua VM, without a world: `run` text in it, `call` its functions, `own` values.

    `lua` is "lua55", "lua54" or "luajit21"; `seed` makes `math.random` and the order of `pairs` (on lua55) repeat.
    """

    # What is so of nearly all states: those of which it is not have their own.
    busy = False
    _closed = False
    _globals: TableHandle | None = None
    _pins: Collection[int] = ()
    _released: Collection[int] = ()

    def __init__(
        self,
        lua: str = "lua55",
        *,
        limits: Limits | None = None,
        seed: int = 0,
        name: str = "state",
    ) -> None:
        check_version(lua)
        self._name = name
        self._begin(lua, limits_for(lua, limits), Commons())
        self._runtime: Runtime | None = Runtime(self.lua, seed, self.limits)

    def _begin(self, lua: str, limits: Limits, commons: Commons) -> None:
        """What every state has, under limits that hold."""
        self.lua = lua
        self.limits = limits
        self.commons = commons
        self.weak = weakref.ref(self, commons.forget)
        commons.states.add(self.weak)

    @property
    def name(self) -> str:
        """What errors call it."""
        return self._name

    @property
    def alive(self) -> bool:
        return not self._closed

    @property
    def max_integer(self) -> int:
        return 2**53 if self.lua == "luajit21" else 2**63 - 1

    @property
    def _lua_error(self) -> type[Exception]:
        """What an error in there is raised as."""
        return error_of(self.lua)

    @property
    def memory(self) -> int:
        """Bytes that Lua has allocated, garbage included."""
        return int(self.function("memory", "collect")(b"count") * 1024)

    @property
    def globals(self) -> TableHandle:
        """The global variables of `run`."""
        self._check_open()
        if self._globals is None:
            self._globals = TableHandle(self, self.trusted("environment", STANDALONE))
        return self._globals

    def run(self, source: str | bytes, *, chunk: str = "chunk") -> Any:
        """Run Lua text and give what it returns: plain data, handles for functions, a tuple for several values.

        `ScriptError` with script, line and traceback when it does not compile or fails.
        """
        self._check_open()
        text = _utf8("run", source)
        self.check_room(len(text))
        return self._results(self.trusted("run", STANDALONE, text, _utf8("run: chunk", chunk)))

    def call(self, function: str | FunctionHandle, *args: Any) -> Any:
        """Call a global function by its name, or one behind a handle, with plain data and handles."""
        if isinstance(function, FunctionHandle):
            function.key_for(self)
            return function(*args)
        with self.globals.upgrade() as names:
            target = names.get(function)
            if not isinstance(target, FunctionProxy):
                raise ScriptError(f"{function!r} is no function of {self.name}, it is {target!r}")
            return target(*args)

    def own(self, value: Any) -> Any:
        """A handle: to a new table made of a dict or list, or to the very value behind a proxy."""
        self._check_open()
        if isinstance(value, Proxy):
            kind = TableHandle if isinstance(value, TableProxy) else FunctionHandle
            return kind(self, self.again(value.key_for(self)), value.entity)
        if not isinstance(value, dict | list | tuple):
            raise PayloadError(f"own: expected a dict, a list or a proxy, got {value!r}")
        shape, leaves = self.encode(value)
        return TableHandle(self, self.trusted("make", shape, *staged(self, leaves)))

    def close(self) -> None:
        """End the VM now, or when the last open `with` of a proxy ends; its handles are dead from here on.

        Closing twice does nothing.
        """
        if self.busy:
            raise StateBusy(f"{self.name} cannot be closed while it runs")
        self._closed = True
        if not self._pins:
            self._runtime = None

    def __reduce_ex__(self, _: object) -> NoReturn:
        refuse_copies(self, "what a VM holds exists once: make another one and run the same in it")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # What handles and the world use.

    def name_beside(self, other: LuaState) -> str:
        """What this state is called where `other` is named too: those of two worlds may have the same name."""
        return self.name if self.name != other.name else f"another {self.name}, which is none of this world,"

    def holds(self, entity: int) -> bool:
        """True while the entity lives here; 0 stands for the state itself."""
        return True

    def pin(self, lease: Lease) -> None:
        """Keep the VM, even past `close`, until `unpin`."""
        vars(self).setdefault("_pins", set()).add(id(lease))  # another thread may do the same

    def unpin(self, lease: Lease) -> None:
        if self._pins:
            vars(self)["_pins"].discard(id(lease))
        if self._closed and not self._pins:
            self._runtime = None

    def function(self, module: str, word: str) -> Any:
        """A trusted function of the prelude; `StateClosed` or `StateBusy` when it cannot be called now."""
        return partial(self.commons.enter, _call, self._ready(), module, word)

    def trusted(self, word: str, *args: Any) -> Any:
        """What a function of the prelude's handles module gives."""
        runtime = self._ready()
        if self.limits.memory is not None and (size := size_of(args)):
            self.check_room(size, over=ROOM // 4)  # so that a state that is full can still be read
        try:
            return self.commons.enter(_call, runtime, "handles", word, *args)
        except self._lua_error as error:
            if isinstance(error, MemoryError):
                raise LimitError(self._full()) from None
            raise script_error(str(error)) from None

    def _ready(self) -> Runtime:
        runtime = self._runtime
        if runtime is None:
            raise StateClosed(f"{self.name} is closed")
        if self.busy:
            raise StateBusy(f"{self.name} is running; its handles can be used again when its tick has ended")
        self.commons.check_not_entered(self.name)
        if self._released:
            self.let_go()
        return runtime

    def takes(self, script: Text) -> bool:
        """True where an entity that comes now has read its script already."""
        runtime = self._runtime
        if runtime is None or runtime.read is None:
            return False
        read, runtime.read = runtime.read, None
        return read == script

    def check_room(self, size: int = 0, *, over: int = 0) -> None:
        """`LimitError` where `size` more bytes from Python could meet the wall, which would end the process.

        What adds to a state checks that it is within its limit; `over` is how far beyond it may be.
        """
        runtime, memory = self._runtime, self.limits.memory
        if runtime is None or memory is None:
            return
        if size > ROOM // 2:
            raise LimitError(f"{size:,} bytes at once are too much for {self.name}; send less than {ROOM // 2:,}")
        if runtime.used() > memory + over:
            self.let_go()
            self.commons.enter(_call, runtime, "memory", "collect")
            if runtime.used() > memory + over:
                raise LimitError(self._full())

    def _full(self) -> str:
        used = 0 if self._runtime is None else self._runtime.used()
        return (
            f"{self.name} uses {used:,} bytes, its limit is {self.limits.memory or 0:,} "
            "(Limits.memory); let go of some, close it, or raise the limit"
        )

    def drop(self, key: int) -> None:
        """Let go of a kept value at the next safe point; callable from any thread at any time."""
        vars(self).setdefault("_released", []).append(key)

    def let_go(self) -> None:
        """Release what was dropped, unless the state runs or is closed."""
        runtime = self._runtime
        if runtime is None or self.busy:
            return
        while self._released and (keys := _take(vars(self)["_released"], PART)):
            self.commons.enter(_call, runtime, "handles", "release", *keys)

    def touch(self) -> None:
        """Python changed something in here."""

    def submit(self, action: Callable[[], object]) -> None:
        """Run `action` at the start of the next frame."""
        raise EngineError(f"{self.name} has no world and so no frames; call the handle itself instead of submit()")

    def again(self, key: int, *, lease: bool = False) -> int:
        """A second key for the same value; with `lease`, one that outlives its entity."""
        second = self.trusted("lease" if lease else "again", key)
        if second is None:
            raise StateClosed(f"the value of {self.name} is gone: its entity has ended")
        return int(second)

    def encode(self, value: object, what: str = "value") -> Encoded:
        return encode(
            value,
            what=what,
            max_bytes=self.limits.payload,
            max_depth=self.limits.depth,
            max_integer=self.max_integer,
        )

    def arguments(self, args: tuple[Any, ...]) -> list[Any]:
        """Flat values for `handles.call`: a shape and its leaves for each, or True and the key of a handle."""
        flat: list[Any] = []
        for position, value in enumerate(args, 1):
            if isinstance(value, Handle | Proxy):
                flat += (True, value.key_for(self))
            else:
                shape, leaves = self.encode(value, f"argument {position}")
                flat += (shape, *leaves)
        return flat

    def call_key(self, key: int, args: tuple[Any, ...], entity: int = STANDALONE) -> Any:
        """Call a kept function with plain data and handles; `entity` runs it where the value belongs to none."""
        return self.call_flat(key, self.arguments(args), entity)

    def call_flat(self, key: int, flat: list[Any], entity: int) -> Any:
        return self._results(self.trusted("call", key, entity, *staged(self, flat)))

    def _results(self, answer: Any) -> Any:
        status = answer[0] if type(answer) is tuple else answer
        if status == b"gone":
            raise StateClosed(f"the function of {self.name} is gone: its entity has ended")
        if status == b"failed":
            raise script_error(answer[1], answer[2])
        if status == b"refused":
            raise PayloadError(answer[1].decode(errors="replace"))
        values = self._decoded(fetched(self, answer))
        return None if not values else values[0] if len(values) == 1 else tuple(values)

    def _decoded(self, flat: list[Any]) -> list[Any]:
        """For each value the number of its leaves, its shape and leaves; or -1, a function's key, entity and place."""
        values: list[Any] = []
        at = 0
        while at < len(flat):
            leaves = flat[at]
            if leaves < 0:
                _, key, entity, place = flat[at : at + 4]
                values.append(FunctionHandle(self, key, entity, place.decode(errors="replace")))
                at += 4
            else:
                values.append(decode(flat[at + 1], flat[at + 2 : at + 2 + leaves]))
                at += 2 + leaves
        return values

    def _check_open(self) -> None:
        if self._closed:
            raise StateClosed(f"{self.name} is closed")
        self.commons.check_not_entered(self.name)


def _call(runtime: Runtime, module: str, word: str, *args: Any) -> Any:
    return runtime.kept(module, word)(*args)


def _take(values: list[int], most: int) -> list[int]:
    """Up to `most` values off the end; another thread may take some at the same time."""
    taken: list[int] = []
    with suppress(IndexError):
        while len(taken) < most:
            taken.append(values.pop())
    return taken


def _utf8(what: str, text: object) -> bytes:
    """Text as it crosses; nothing but bytes may."""
    try:
        if isinstance(text, str):
            return text.encode()
        if isinstance(text, bytes):
            return bytes(text)
    except UnicodeEncodeError:
        raise EngineError(f"{what}: the text has lone surrogates, so it is no UTF-8; give bytes") from None
    raise EngineError(f"{what}: expected text, got {text!r}")
