"""Makes Lua runtimes: VMs with the prelude in them."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable
from operator import attrgetter
from typing import Any

from engine.limits import Limits
from engine.lua.bytecode import FIXED, GUARDS, NAME, START, prelude_code, script_code
from engine.lua.chunks import FAILED, LOADED, SETTINGS, chunk_code, missing
from engine.lua.versions import bare_vm

Text = tuple[str, str, bytes]
"""The name of a script, its chunk and what it says."""

Names = tuple[bytes | None, ...]
"""Of the fields that an entity gets: as many as `shapes.FEW`, with None for those that are missing."""

ROOM = 16 * 1024 * 1024
"""Bytes between the memory limit and the wall where Lua's allocations fail: for what comes from Python."""

# What the pump is told of the limits, in this order; None is no limit.
_told = attrgetter(
    *("instructions", "seconds", "memory", "payload", "depth", "outbox", "mailbox", "subscriptions", "spawns"),
    *("tasks", "errors", "log"),
)

_HARMLESS = frozenset(
    name.encode() for name in ("files", "later", "standard", "time", "defaults", "charging", "blame", "fault", *GUARDS)
)

_ASKED, _FILLED, _LOADED, WAYS = 1, 2, 4, 8
"""Why a wall is lifted: Python asks for a value, the pump is made, a file is loaded; Python makes its ways in."""


class Runtime:
    """One Lua VM with the prelude in it, under `limits`. `get("body", "run")` gives a value of a prelude module.

    Above its memory there is a wall (`wall` is another one): Lua's own allocations fail there, but a value that
    *Python* pushes there ends the process, so whoever pushes looks at `used` before.

    The first entity reads the `script`, where there is one, before it is there; `names` are those of the fields that
    it will probably get. What came of that is in `begun`, as `calm.lua` says: nothing, or (who lies in wait, whether
    there is anything to do at its end).
    """

    begun: Any = None
    used_files: frozenset[bytes] = frozenset()  # those that were asked for, and all that came with them
    _ask: Callable[..., Any] | None = None
    _fixed_step: float | None = None
    _get: Callable[..., Any] | None = None
    _kept: dict[tuple[str, str], Any] | None = None
    _lifted = 0  # why there is no wall now, a bit for each reason

    def __init__(
        self,
        lua: str,
        seed: int,
        limits: Limits,
        *,
        wall: int | None = None,
        script: Text | None = None,
        names: Names = (),
    ) -> None:
        self.lua = lua
        self.read = script  # what its first entity has read already
        self._seed = seed
        self._limits = limits
        self._own_wall = wall
        self._mode = "B" if lua in FIXED else "b"
        self._vm = bare_vm(lua, seed, self._wall)
        code = prelude_code(lua)[START]
        self._giver = giver = _Giver(self, code)
        start = self.function_of(code, NAME)
        start()
        settings = (limits.watched, limits.instructions, limits.seconds, limits.memory)
        if script is None:
            self._prelude = start(giver, None, None, *settings)
            return
        name, chunk, text = script
        fn = self.of_text(text, b"@" + chunk.encode())
        thread = start.coroutine(giver, fn, name.encode(), *settings, *names)
        made = thread.send(None)
        if type(made) is not tuple:
            self._prelude = made
        else:
            self._prelude = made[0]
            self.begun = (thread, made[1]) if len(made) == 3 else True

    def function_of(self, code: bytes, name: bytes) -> Any:
        """Of bytecode that somebody holds as long as this VM lives."""
        return self._vm.compile(code, name, self._mode)

    def of_text(self, text: bytes, name: bytes) -> Any:
        """Of what a script says; None where it is wrong."""
        code = script_code(self.lua, text, name)
        return None if code is None else self.function_of(self._giver.held_as(code), name)

    def used(self) -> int:
        """Bytes that Lua has allocated."""
        return self._vm.get_memory_used(True)  # type: ignore[no-any-return]

    @property
    def _wall(self) -> int | None:
        memory = self._limits.memory
        return self._own_wall if self._own_wall is not None or memory is None else memory + ROOM

    def lift_wall(self, why: int) -> None:
        """Have no wall until `put_wall`: for a load of the prelude, and for what Python pushes and makes meanwhile."""
        self._lifted |= why
        if self._wall is not None:
            self._vm.set_max_memory(0)

    def put_wall(self, why: int) -> None:
        self._lifted &= ~why
        if self._wall is not None and not self._lifted:
            self._vm.set_max_memory(self._wall, total=True)

    def get(self, module: str, word: str) -> Any:
        return self._asked(module, word)

    def for_pump(self) -> tuple[Any, ...]:
        """What the pump is loaded with."""
        return (self._limits.watched, self._seed, *_told(self._limits), self._ask, self._fixed_step)

    def kept(self, module: str, word: str) -> Any:
        """The same, remembered: for functions that never change."""
        if self._kept is None:
            self._kept = {}
        found = self._kept.get((module, word))
        if found is None:
            found = self._kept[module, word] = self.get(module, word)
        return found

    def get_all(self, *names: str) -> tuple[Any, ...]:
        """Several values, at least two: module, word, module, word."""
        return self._asked(*names)  # type: ignore[no-any-return]

    def _asked(self, *names: str) -> Any:
        self.lift_wall(_ASKED)
        try:
            if self._get is None:  # few states are asked
                self._get = self._prelude[b"access"][b"get"]
            return self._get(*(name.encode() for name in names))
        finally:
            self.put_wall(_ASKED)

    def load(self, modules: Iterable[str]) -> None:
        """Load files of the prelude now that would be loaded when they are first used."""
        for module in modules:
            self.get(module, "")

    def put(self, module: str, word: str, value: Any) -> None:
        self.get("access", "put")(module.encode(), word.encode(), value)

    @property
    def has_pump(self) -> bool:
        return b"pump" in self.used_files

    @property
    def is_calm(self) -> bool:
        """True as long as its script has come to use nothing that could leave something to be done at the end."""
        return self.used_files <= _HARMLESS

    def gives_the_same(self) -> bool:
        """True where what scripts used so far gives the same at any time."""
        return not self.has_pump and (b"files" not in self.used_files or self.get("files", "are_the_same")())

    def adopt(self, ask: Callable[..., Any], fixed_step: float) -> None:
        """Give the state to a world: `ask` is for its questions."""
        if self.has_pump:
            self.get("library", "adopt")(ask, fixed_step)
        else:
            self._ask, self._fixed_step = ask, fixed_step


class _Giver:
    """What a VM asks for its functions, as Lua itself cannot make them of bytecode that is to be used where it lies.

    The VM holds it, and so the code that it gave.
    """

    __slots__ = ("_filling", "_held", "_runtime")

    def __init__(self, runtime: Runtime, code: bytes) -> None:
        self._runtime = weakref.ref(runtime)
        self._held: tuple[bytes, ...] = (code,)
        self._filling: tuple[bytes, ...] = ()  # what is being loaded together

    def held_as(self, code: bytes) -> bytes:
        """The same, from here on held once."""
        for held in self._held:
            if held == code:
                return held
        self._held += (code,)
        return code

    def __call__(self, name: bytes, text: bytes | None = None) -> Any:
        """The function of the prelude's file of that name, or of a script's `text`; None where there is none."""
        runtime = self._runtime()
        if runtime is None:
            return None
        if text is not None:
            try:
                return runtime.of_text(text, name)
            except MemoryError:  # raised, it would be pushed where there is no room, which hangs; Lua says so by itself
                return None
        if name == SETTINGS:
            runtime.lift_wall(_FILLED)
            return runtime.for_pump()
        if name in (LOADED, FAILED):
            runtime.put_wall(_FILLED)
            if name == FAILED:
                runtime.used_files -= {*self._filling}
            return None
        self._filling = missing(name, runtime.used_files)
        code = chunk_code(runtime.lua, self._filling) if self._filling else prelude_code(runtime.lua).get(name)
        if code is None:
            return None
        runtime.used_files |= {name, *self._filling}
        runtime.lift_wall(_LOADED)
        try:
            return runtime.function_of(self.held_as(code), NAME)
        finally:
            runtime.put_wall(_LOADED)
