"""Makes Lua runtimes: the one module that imports lupa, and names its version."""

from __future__ import annotations

import importlib
import weakref
from collections.abc import Callable, Iterable
from functools import cache, lru_cache, partial
from importlib import resources
from typing import Any

from engine.errors import EngineError

VERSIONS = ("lua55", "lua54", "luajit21")

# What every state has from its start, in this order: a file uses only what stands before it.
PRELUDE = (
    "clock",
    "wait",
    "memory",
    "budget",
    "turns",
    "records",
    "endings",
    "scheduler",
    "outbox",
    "mail",
    "sandbox",
    "script",
    "entity",
    "screen",
    "pump",
    "library",
    "body",
)

# What runs in every tick of a calm state, and the names that it reads, of who draws and is drawn, too: they are made so
# that they lie together. Among a thousand states each page of memory is found anew.
HOT = ("clock", "wait")
_WORDS = b"self x y wait now dt frame n open list sprite layer alpha draw light math"

# Loaded with the first word that somebody asks of them: few states need many of these, and all would carry them.
PRELUDE_LATER = (
    "ahead",
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
    "early",
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
    "watched",
    "window",
)

# Only where there are limits. These do a script's work, so a stop may strike in them: they keep their names.
GUARDS = ("guards",)
GUARDS_LATER = ("patterns", "steps", "strings", "tables")

_EAGER = b"every state's"
_NAME = b"=[tidelock]"

# Lua 5.5 can use bytecode where it lies: all states run the same few lines of the processor's cache, and none has a
# copy. What a VM calls to get code holds the bytes, so that they lie there as long as the VM lives. For the lines that
# stripped code lacks Lua takes the bytes behind: there must be some.
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
    try:
        return importlib.import_module(f"lupa.{lua}")
    except ImportError as error:
        raise EngineError(
            f"{lua} is not in this machine's lupa wheel ({error}); use lua55, which every wheel has"
        ) from error


def check_version(lua: str) -> None:
    """`EngineError` for a version that there is not, or not in this machine's lupa."""
    if not isinstance(lua, str) or lua not in VERSIONS:
        raise EngineError(f"lua must be one of {', '.join(VERSIONS)}, got {lua!r}")
    _module(lua)


def available(lua: str) -> bool:
    """True where this machine's lupa has that version."""
    try:
        check_version(lua)
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
def _compiler(lua: str) -> Callable[[bytes, bytes, bool], bytes]:
    """Makes bytecode of text: of (text, name, whether to strip it). Made by ourselves, it may be loaded."""
    return _bare(lua, 1).execute(_COMPILE)  # type: ignore[no-any-return]


@cache
def _prelude(lua: str) -> dict[bytes, bytes]:
    """The prelude's files as bytecode of this very lupa."""
    folder = resources.files("engine.lua") / "prelude"
    compile_text = _compiler(lua)
    guards = () if lua == "luajit21" else GUARDS + GUARDS_LATER
    texts = {name: (folder / f"{name}.lua").read_bytes() for name in ("boot", *PRELUDE, *PRELUDE_LATER, *guards)}
    code = {name.encode(): compile_text(texts[name], _NAME, True) for name in PRELUDE_LATER}
    for name in guards:
        code[name.encode()] = compile_text(texts[name], b"=[tidelock %s]" % name.encode(), False)
    code[_EAGER] = compile_text(_joined(texts), _NAME, True)
    return {name: part + _BEHIND for name, part in code.items()} if lua in _FIXED else code


@lru_cache(maxsize=256)
def _script(lua: str, text: bytes, name: bytes) -> bytes | None:
    """A script's text as bytecode, made once for all states; None where it is wrong, which Lua tells best by itself."""
    try:
        return _compiler(lua)(text, name, False)
    except error_of(lua):
        return None


def _joined(texts: dict[str, bytes]) -> bytes:
    """The files of every state as one chunk: takes who gives code and whether there are guards, gives get and put.

    What stands last in the text lies next to what is made first. While it loads them the collector rests: it would find
    next to nothing.
    """
    files = {
        name: b"prelude.%s = (function(...)\n%s\nend)(prelude)\n" % (name.encode(), texts[name]) for name in PRELUDE
    }
    others = b"".join(files[name] for name in PRELUDE if name not in HOT)
    words = b", ".join(b"words." + word for word in _WORDS.split())
    return b"""
collectgarbage("stop")
local give, guards = ...
local _ = function(words) return %s end
local prelude, get, put = (function(...)\n%s\nend)(give)
local function others()\n%s\nend
%s
others()
_ = guards and prelude.guards
prelude.memory.begin()
return get, put
""" % (words, texts["boot"], others, b"".join(files[name] for name in HOT))


def _giver_of_code(reference: weakref.ref[Runtime], lua: str) -> Callable[..., Any]:
    """What a VM asks for its functions, as Lua itself cannot make them of bytecode that is to be used where it lies."""
    files = _prelude(lua)
    held: dict[bytes, bytes] = {}  # each once, however often it is asked for

    def give(name: bytes, text: bytes | None = None) -> Any:
        """The function of the prelude's file of that name, or of a script's `text`; None where there is none."""
        code = files.get(name) if text is None else _script(lua, text, name)
        runtime = reference()
        if runtime is None or code is None:
            return None
        if text is not None:
            code = held.setdefault(code, code)
        return runtime.function_of(code, _NAME if text is None else name)

    return give


Text = tuple[bytes, str]
"""What a script says, and its chunk."""


class Runtime:
    """One Lua VM with the prelude in it. `get("pump", "run")` gives a value of a prelude module.

    With `guards` the library functions of scripts are bounded. `memory` is a wall: Lua's own allocations fail there,
    but a value that *Python* pushes there ends the process, so whoever pushes looks at `used` before.
    """

    def __init__(self, lua: str, seed: int, *, guards: bool = False, memory: int | None = None) -> None:
        self.lua = lua
        self._vm = _bare(lua, seed, None if memory is None else 0)
        boot = self.function_of(_prelude(lua)[_EAGER], _NAME)
        self._get, self._put = boot(_giver_of_code(weakref.ref(self), lua), guards)
        self._kept: dict[tuple[str, str], Any] = {}
        self.read: Text | None = None  # the script that its first entity has read already
        self.used: Callable[[], int] = partial(self._vm.get_memory_used, True)
        if memory is not None:
            self._vm.set_max_memory(memory, total=True)

    def function_of(self, code: bytes, name: bytes) -> Any:
        """Of bytecode that somebody holds as long as this VM lives."""
        return self._vm.compile(code, name, "B" if self.lua in _FIXED else "b")

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
