"""Makes Lua runtimes: the one module that imports lupa, and names its version."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from functools import cache, partial
from importlib import resources
from typing import Any

from engine.errors import EngineError

VERSIONS = ("lua55", "lua54", "luajit21")

# In this order: a file uses only what stands before it.
PRELUDE = (
    "clock",
    "memory",
    "kept",
    "queue",
    "fault",
    "budget",
    "turns",
    "records",
    "endings",
    "scheduler",
    "coroutines",
    "wait",
    "task",
    "spelling",
    "reading",
    "payload",
    "outbox",
    "random",
    "bus",
    "sandbox",
    "entity",
    "reload",
    "library",
    "handles",
    "host",
    "pump",
    "trace",
    "registry",
    "console",
)

# Loaded when a script first needs them: most states never do, and every state would carry them.
PRELUDE_LATER = ("group", "async", "easing", "tween", "rights")

# Only where there are limits. These do a script's work, so a stop may strike in them: they keep their names.
GUARDS = ("steps", "patterns", "strings", "tables", "guards")

_BOOT = b"""
local prelude, load, assert = {}, load, assert
local later = {}
local function boot(name, code)
  prelude[name] = assert(load(code, "=[tidelock]", "b"))(prelude)
end
setmetatable(prelude, { __index = function(_, name)
  local code = later[name]
  if code then
    later[name] = nil
    boot(name, code)
    return prelude[name]
  end
end })
return boot, function(name, code)
  later[name] = code
end, function(name, word)
  return prelude[name][word]
end, function(name, word, value)
  prelude[name][word] = value
end
"""

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
def _prelude(lua: str) -> tuple[tuple[bytes, bytes], ...]:
    """The prelude's files as bytecode of this very lupa; made by ourselves, so it may be loaded."""
    folder = resources.files("engine.lua") / "prelude"
    compile_text = _bare(lua, 1).execute(_COMPILE)
    names = PRELUDE + PRELUDE_LATER + (() if lua == "luajit21" else GUARDS)
    return tuple(
        (name.encode(), compile_text((folder / f"{name}.lua").read_bytes(), _chunk(name), name not in GUARDS))
        for name in names
    )


def _chunk(name: str) -> bytes:
    return b"=[tidelock %s]" % name.encode() if name in GUARDS else b"=[tidelock]"


class Runtime:
    """One Lua VM with the prelude in it. `get("pump", "run")` gives a value of a prelude module.

    With `guards` the library functions of scripts are bounded. `memory` is a wall: Lua's own allocations fail there,
    but a value that *Python* pushes there ends the process, so whoever pushes looks at `used` before.
    """

    def __init__(self, lua: str, seed: int, *, guards: bool = False, memory: int | None = None) -> None:
        self.lua = lua
        self._vm = _bare(lua, seed, None if memory is None else 0)
        boot, boot_later, get, put = self._vm.execute(_BOOT)
        later = len(PRELUDE) + len(PRELUDE_LATER)
        files = _prelude(lua)
        for name, code in files[: len(PRELUDE)]:
            boot(name, code)
        for name, code in files[len(PRELUDE) : later]:
            boot_later(name, code)
        for name, code in files[later:] if guards else ():
            boot(name, code)
        self._get, self._put = get, put
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

    def put(self, module: str, word: str, value: Any) -> None:
        self._put(module.encode(), word.encode(), value)


def error_of(lua: str) -> type[Exception]:
    """`LuaError` of this version: each has its own."""
    return _module(lua).LuaError  # type: ignore[no-any-return]
