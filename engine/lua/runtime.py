"""Makes Lua runtimes: the one module that imports lupa, and names its version."""

from __future__ import annotations

import importlib
import weakref
from collections.abc import Callable, Iterable
from functools import cache, partial
from importlib import resources
from typing import Any

from engine.errors import EngineError

VERSIONS = ("lua55", "lua54", "luajit21")

# What every state has from its start, in this order: a file uses only what stands before it.
PRELUDE = (
    "clock",
    "memory",
    "budget",
    "turns",
    "records",
    "endings",
    "scheduler",
    "wait",
    "outbox",
    "mail",
    "sandbox",
    "entity",
    "library",
    "screen",
    "pump",
    "body",
)

# Loaded with the first word that somebody asks of them: few states need many of these, and all would carry them.
PRELUDE_LATER = (
    "async",
    "blame",
    "bus",
    "calls",
    "checks",
    "console",
    "coroutines",
    "crowd",
    "defaults",
    "deferral",
    "easing",
    "entities",
    "exposed",
    "failures",
    "fault",
    "group",
    "handles",
    "hearing",
    "hooks",
    "host",
    "kept",
    "leaving",
    "loading",
    "log",
    "march",
    "overruns",
    "pauses",
    "payload",
    "places",
    "posting",
    "queue",
    "random",
    "reading",
    "refusals",
    "registry",
    "reload",
    "requiring",
    "rights",
    "shared",
    "shown",
    "spelling",
    "standard",
    "standing",
    "steady",
    "stops",
    "suspension",
    "task",
    "time",
    "trace",
    "tween",
    "watch",
    "window",
)

# Only where there are limits. These do a script's work, so a stop may strike in them: they keep their names.
GUARDS = ("guards",)
GUARDS_LATER = ("patterns", "steps", "strings", "tables")

_EAGER = b"every state's"

# Lua 5.5 can use bytecode where it lies: all states run the same few lines of the processor's cache, and none has a
# copy. A state holds `_prelude`, where it lies, as it fetches its files there. For the lines that stripped code lacks
# Lua takes the bytes behind: there must be some.
_FIXED = ("lua55",)
_BEHIND = bytes(16 * 1024)

_COMPILE = b"""
local load, dump = load, string.dump
return function(text, name, strip)
  return dump(assert(load(text, name, "t")), strip)
end
"""


@cache
def _module(lua: str) -> Any:
    if lua not in VERSIONS:
        raise EngineError(f"lua must be one of {', '.join(VERSIONS)}, got {lua!r}")
    try:
        return importlib.import_module(f"lupa.{lua}")
    except ImportError as error:
        raise EngineError(
            f"{lua} is not in this machine's lupa wheel ({error}); use lua55, which every wheel has"
        ) from error


def check_version(lua: str) -> None:
    """`EngineError` for a version that there is not, or not in this machine's lupa."""
    _module(lua)


def available(lua: str) -> bool:
    """True where this machine's lupa has that version."""
    try:
        _module(lua)
    except EngineError:
        return False
    return True


def _bare(lua: str, seed: int, memory: int | None = None) -> Any:
    return _module(lua).LuaRuntime(
        max_memory=memory,
        encoding=None,
        unpack_returned_tuples=True,
        register_eval=False,
        register_builtins=False,
        string_hash_seed=seed & 0x7FFFFFFF,
    )


@cache
def _prelude(lua: str) -> dict[bytes, bytes]:
    """The prelude's files as bytecode of this very lupa; made by ourselves, so it may be loaded."""
    folder = resources.files("engine.lua") / "prelude"
    compile_text = _bare(lua, 1).execute(_COMPILE)
    guards = () if lua == "luajit21" else GUARDS + GUARDS_LATER
    texts = {name: (folder / f"{name}.lua").read_bytes() for name in ("boot", *PRELUDE, *PRELUDE_LATER, *guards)}
    code = {name.encode(): compile_text(texts[name], b"=[tidelock]", True) for name in PRELUDE_LATER}
    for name in guards:
        code[name.encode()] = compile_text(texts[name], b"=[tidelock %s]" % name.encode(), False)
    code[_EAGER] = compile_text(_joined(texts), b"=[tidelock]", True)
    return {name: part + _BEHIND for name, part in code.items()} if lua in _FIXED else code


def _joined(texts: dict[str, bytes]) -> bytes:
    """The files of every state as one chunk: it takes (fetch, whether there are guards) and gives get and put.

    While it loads them the collector rests: it would find next to nothing.
    """
    files = b"".join(b"prelude.%s = (function(...)\n%s\nend)(prelude)\n" % (n.encode(), texts[n]) for n in PRELUDE)
    return b"""
collectgarbage("stop")
local fetch, guards = ...
local prelude, get, put = (function(...)\n%s\nend)(fetch)
%s
local _ = guards and prelude.guards
prelude.memory.begin()
return get, put
""" % (texts["boot"], files)


def _fetch(reference: weakref.ref[Runtime], code: dict[bytes, bytes], name: bytes) -> Any:
    """A file of the prelude as a function, which Lua itself cannot make of bytecode that it is to use where it lies."""
    runtime, part = reference(), code.get(name)
    if runtime is None or part is None:
        return part
    return runtime._vm.compile(part, b"=[tidelock]", "B")


class Runtime:
    """One Lua VM with the prelude in it. `get("pump", "run")` gives a value of a prelude module.

    With `guards` the library functions of scripts are bounded. `memory` is a wall: Lua's own allocations fail there,
    but a value that *Python* pushes there ends the process, so whoever pushes looks at `used` before.
    """

    def __init__(self, lua: str, seed: int, *, guards: bool = False, memory: int | None = None) -> None:
        self.lua = lua
        self._vm = _bare(lua, seed, None if memory is None else 0)
        code = _prelude(lua)
        fixed = lua in _FIXED
        boot = self._vm.compile(code[_EAGER], b"=[tidelock]", "B" if fixed else "b")
        self._get, self._put = boot(partial(_fetch, weakref.ref(self), code) if fixed else code.get, guards)
        self._kept: dict[tuple[str, str], Any] = {}
        self.used: Callable[[], int] = partial(self._vm.get_memory_used, True)
        if memory is not None:
            self._vm.set_max_memory(memory, total=True)

    def get(self, module: str, word: str) -> Any:
        return self._get(module.encode(), word.encode())

    def kept(self, module: str, word: str) -> Any:
        """The same, remembered: for functions that never change."""
        found = self._kept.get((module, word))
        if found is None:
            found = self._kept[module, word] = self.get(module, word)
        return found

    def get_all(self, module: str, *words: str) -> tuple[Any, ...]:
        """Several of one module, at least two."""
        return self._get(*(name for word in words for name in (module.encode(), word.encode())))  # type: ignore[no-any-return]

    def load(self, modules: Iterable[str]) -> None:
        """Load files of the prelude now that would be loaded when they are first used."""
        for module in modules:
            self.get(module, "")

    def put(self, module: str, word: str, value: Any) -> None:
        self._put(module.encode(), word.encode(), value)

    def put_all(self, values: dict[tuple[str, str], Any]) -> None:
        """Values by module and word, in one call."""
        self._put(
            *(part for (module, word), value in values.items() for part in (module.encode(), word.encode(), value))
        )


def error_of(lua: str) -> type[Exception]:
    """`LuaError` of this version: each has its own."""
    return _module(lua).LuaError  # type: ignore[no-any-return]
