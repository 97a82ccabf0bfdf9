"""One Lua VM: runs text, keeps values for handles, and ticks through its pump.

Nothing of lupa leaves this folder: results are plain data or handles.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable
from typing import Any, Self

from engine.errors import ScriptError, StateBusy, StateClosed
from engine.limits import Limits
from engine.lua.handles import FunctionHandle, Handle, Proxy, TableHandle
from engine.lua.runtime import Runtime, error_of
from engine.payload import Encoded, decode, encode

STANDALONE = 0
"""Id of the one entity of a state that has no world."""

Ask = Callable[..., tuple[Any, ...]]

_PLACE = re.compile(r"^([^:\n]+):(\d+): (.*)$", re.DOTALL)
_PRELUDE_FRAME = re.compile(r"^\s*(\?:|\[tidelock\]|\[C\]: in (function 'xpcall'|\?)|\(\.\.\.tail calls\.\.\.\))")
_PRELUDE_NAME = re.compile(r"in (field|upvalue|local|function) '(fn|\?)?'$")


class LuaState:
    """One Lua VM, without a world: `run` text in it, `call` its functions, `own` values.

    `lua` is "lua55", "lua54" or "luajit21"; `seed` makes `math.random` and the order of `pairs` (on lua55) repeat.
    """

    def __init__(self, lua: str = "lua55", *, limits: Limits | None = None, seed: int = 0, name: str = "state") -> None:
        self.lua = lua
        self.name = name
        self.limits = limits_for(lua, limits)
        self.busy = False
        self.max_integer = 2**53 if lua == "luajit21" else 2**63 - 1
        self._released: deque[int] = deque()
        self._runtime: Runtime | None = Runtime(lua, seed)
        self._lua_error = error_of(lua)
        self._functions: dict[tuple[str, str], Any] = {}
        self._apply_limits()
        self._runtime.put("handles", "seed", seed)
        self._globals: TableHandle | None = None

    def _apply_limits(self) -> None:
        assert self._runtime is not None
        boundary = self._runtime.get("outbox", "limits")
        boundary[b"bytes"], boundary[b"depth"] = self.limits.payload, self.limits.depth
        self._runtime.put("entity", "task_limit", self.limits.tasks)
        self._runtime.put("scheduler", "error_limit", self.limits.errors)

    @property
    def alive(self) -> bool:
        return self._runtime is not None

    @property
    def memory(self) -> int:
        """Bytes that Lua has allocated, garbage included."""
        return int(self.function("memory", "bytes")())

    @property
    def globals(self) -> TableHandle:
        """The global variables of `run`."""
        if self._globals is None:
            self._globals = TableHandle(self, self.function("handles", "environment")(STANDALONE))
        return self._globals

    def run(self, source: str | bytes, *, chunk: str = "chunk") -> Any:
        """Run Lua text and give what it returns: plain data, handles for functions, a tuple for several values.

        `ScriptError` with script, line and traceback when it does not compile or fails.
        """
        text = source.encode() if isinstance(source, str) else source
        return self._results(self.function("handles", "run")(STANDALONE, text, chunk.encode()))

    def call(self, function: str | FunctionHandle, *args: Any) -> Any:
        """Call a global function by its name, or one behind a handle, with plain data and handles."""
        if isinstance(function, FunctionHandle):
            return function(*args)
        with self.globals.upgrade() as names:
            target = names[function]
            if not isinstance(target, Proxy) or not callable(target):
                raise ScriptError(f"{function!r} is no function of {self.name}, it is {target!r}")
            return target(*args)

    def own(self, value: Any) -> Any:
        """A handle: to a new table made of a dict or list, or to the very value behind a proxy."""
        if isinstance(value, Proxy):
            return value.handle()
        shape, leaves = self.encode(value)
        return TableHandle(self, self.function("handles", "make")(shape, *leaves))

    def close(self) -> None:
        """End the VM now; its handles are dead from here on. Closing twice does nothing."""
        if self.busy:
            raise StateBusy(f"{self.name} cannot be closed while it runs")
        self._functions.clear()
        self._runtime = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # What handles and the world use.

    def function(self, module: str, word: str) -> Any:
        """A trusted function of the prelude; `StateClosed` or `StateBusy` when it cannot be called now."""
        if self._runtime is None:
            raise StateClosed(f"{self.name} is closed")
        if self.busy:
            raise StateBusy(f"{self.name} is running; its handles can be used again when its tick has ended")
        if self._released:
            self._release()
        found = self._functions.get((module, word))
        if found is None:
            found = self._functions[module, word] = self._runtime.get(module, word)
        return found

    def drop(self, key: int) -> None:
        """Let go of a kept value at the next safe point; callable from any thread at any time."""
        self._released.append(key)

    def _release(self) -> None:
        assert self._runtime is not None
        release = self._runtime.get("handles", "release")
        while self._released:
            release(self._released.popleft())

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
        return self._results(self.function("handles", "call")(entity, key, *self.arguments(args)))

    def _results(self, answer: tuple[Any, ...]) -> Any:
        if not answer[0]:
            raise script_error(answer[1], answer[2])
        count = answer[1]
        values = [self._take(*answer[2 + 3 * i : 5 + 3 * i]) for i in range(count)]
        return None if count == 0 else values[0] if count == 1 else tuple(values)

    def _take(self, kind: bytes, what: Any, value: Any) -> Any:
        if kind == b"plain":
            return None if what == b"_" else decode(b".", (value,))
        if kind == b"function":
            return FunctionHandle(self, what)
        if kind == b"table":
            return self.copy_of(TableHandle(self, what))
        raise ScriptError(f"a {what.decode()} cannot leave its state")

    def copy_of(self, handle: TableHandle) -> Any:
        """The table as plain data; `PayloadError` where it holds something else."""
        with handle.upgrade() as proxy:
            return proxy.copy()


def limits_for(lua: str, limits: Limits | None) -> Limits:
    """The limits that hold: the defaults on PUC Lua, none on LuaJIT, where asking for them is an error."""
    if lua != "luajit21":
        return Limits() if limits is None else limits
    if limits is not None and (limits.instructions is not None or limits.memory is not None):
        raise ScriptError(
            "luajit21 cannot hold limits on instructions or memory: its compiled loops cannot be stopped. "
            "Use lua55 for scripts you do not trust, or Limits.off()"
        )
    if limits is not None:
        return limits
    return Limits(instructions=None, memory=None)


def script_error(message: bytes | str, traceback: bytes | str = b"") -> ScriptError:
    """A `ScriptError` from what Lua said: the place is taken out of the message."""
    text = message.decode(errors="replace") if isinstance(message, bytes) else message
    trace = traceback.decode(errors="replace") if isinstance(traceback, bytes) else traceback
    place = _PLACE.match(text)
    script, line, words = (place[1], int(place[2]), place[3]) if place else (None, None, text)
    return ScriptError(words, script=script, line=line, traceback=readable(trace))


def readable(trace: str) -> str:
    """Lua's traceback from "stack traceback:" on, without the frames of the prelude and its names for the script's."""
    rows = trace[max(trace.find("stack traceback:"), 0) :].splitlines()
    return "\n".join(_PRELUDE_NAME.sub("in a function", row) for row in rows if not _PRELUDE_FRAME.match(row))
