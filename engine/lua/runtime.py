"""Makes Lua runtimes: VMs with the prelude in them."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from engine.lua.bytecode import BOOT, EAGER, FIRST, FIXED, NAME, prelude_code, script_code
from engine.lua.versions import bare_vm

Text = tuple[str, str, bytes]
"""The name of a script, its chunk and what it says."""

_ROOM = 7000
"""Bytes kept free beside what runs in every tick, until all is loaded: the first entity and its script go there."""


class Runtime:
    """One Lua VM with the prelude in it. `get("pump", "run")` gives a value of a prelude module.

    `settings` are what `library.lua` takes. With `guards` the library functions of scripts are bounded. `memory` is a
    wall: Lua's own allocations fail there, but a value that *Python* pushes there ends the process, so whoever pushes
    looks at `used` before.
    """

    def __init__(
        self, lua: str, seed: int, *settings: float | None, guards: bool = False, memory: int | None = None
    ) -> None:
        self.lua = lua
        self._vm = bare_vm(lua, seed, None if memory is None else 0)
        code = prelude_code(lua)
        boot = self.function_of(code[BOOT], NAME)
        prelude, self._get, self._put = boot(_giver_of_code(weakref.ref(self), lua))
        given = (prelude, guards, seed, *settings)
        self.function_of(code[FIRST], NAME)(*given)
        room = bytearray(_ROOM)
        self.function_of(code[EAGER], NAME)(*given)
        del room
        self._kept: dict[tuple[str, str], Any] = {}
        self.read: Text | None = None  # the script that its first entity has read already
        self.used: Callable[[], int] = partial(self._vm.get_memory_used, True)
        if memory is not None:
            self._vm.set_max_memory(memory, total=True)

    def function_of(self, code: bytes, name: bytes) -> Any:
        """Of bytecode that somebody holds as long as this VM lives."""
        return self._vm.compile(code, name, "B" if self.lua in FIXED else "b")

    def get(self, module: str, word: str) -> Any:
        return self._get(module.encode(), word.encode())

    def kept(self, module: str, word: str) -> Any:
        """The same, remembered: for functions that never change."""
        found = self._kept.get((module, word))
        if found is None:
            found = self._kept[module, word] = self.get(module, word)
        return found

    def get_all(self, *names: str) -> tuple[Any, ...]:
        """Several values, at least two: module, word, module, word."""
        return self._get(*(name.encode() for name in names))  # type: ignore[no-any-return]

    def load(self, modules: Iterable[str]) -> None:
        """Load files of the prelude now that would be loaded when they are first used."""
        for module in modules:
            self.get(module, "")

    def put(self, module: str, word: str, value: Any) -> None:
        self._put(module.encode(), word.encode(), value)


def _giver_of_code(reference: weakref.ref[Runtime], lua: str) -> Callable[..., Any]:
    """What a VM asks for its functions, as Lua itself cannot make them of bytecode that is to be used where it lies."""
    files = prelude_code(lua)
    held: dict[bytes, bytes] = {}  # each once, however often it is asked for

    def give(name: bytes, text: bytes | None = None) -> Any:
        """The function of the prelude's file of that name, or of a script's `text`; None where there is none."""
        code = files.get(name) if text is None else script_code(lua, text, name)
        runtime = reference()
        if runtime is None or code is None:
            return None
        if text is not None:
            code = held.setdefault(code, code)
        try:
            return runtime.function_of(code, NAME if text is None else name)
        except MemoryError:  # raised, it would be pushed where there is no room, which hangs; Lua says so by itself
            return None

    return give
