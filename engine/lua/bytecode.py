"""Makes bytecode, once for all states: of the prelude's files, and of what scripts say."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache, lru_cache
from importlib import resources

from engine.lua.joining import joined
from engine.lua.versions import bare_vm, error_of

# What every state has from its start, which is enough for an entity that moves and waits. A file uses only what stands
# before it. First comes what runs in every tick of a calm state, and the names that it reads, so that they lie
# together: among a thousand states each page of memory is found anew, and a tick whose objects lie on few of them takes
# a third less. What ends it reads the script of the first entity.
EAGER = ("clock", "home", "face", "wait", "worker", "memory", "budget", "sandbox", "environment", "watch")
_LAST = "calm"
_WORDS = b"wait self x y now dt frame math name"

# Loaded with the first word that somebody asks of them: few states need many of these, and all would carry them.
PRELUDE_LATER = (
    "access",
    "ahead",
    "async",
    "awaiting",
    "blame",
    "bus",
    "calling",
    "calls",
    "charging",
    "checks",
    "console",
    "copies",
    "coroutines",
    "crowd",
    "cycle",
    "defaults",
    "deferral",
    "early",
    "easing",
    "entities",
    "exposed",
    "failures",
    "fault",
    "fields",
    "files",
    "group",
    "handles",
    "hearing",
    "hooks",
    "host",
    "kept",
    "later",
    "leaving",
    "loading",
    "log",
    "march",
    "nurseries",
    "overruns",
    "pauses",
    "payload",
    "places",
    "posting",
    "queue",
    "random",
    "rare",
    "reading",
    "refusals",
    "registry",
    "reload",
    "requiring",
    "requests",
    "rights",
    "several",
    "shared",
    "sharing",
    "shown",
    "snapshots",
    "spelling",
    "standard",
    "standing",
    "steady",
    "stops",
    "suspension",
    "table",
    "task",
    "telling",
    "time",
    "trace",
    "tray",
    "tween",
    "watched",
    "window",
)

# Only where there are limits. These do a script's work, so a stop may strike in them: they keep their names.
GUARDS = ("patterns", "steps", "strings", "substitution", "tables", "weighing")

# LuaJIT has memory of its own, in which what is made last lies next to the first entity.
_JIT = ("clock", "wait", "home", "face", *EAGER[4:])

START = b"start"
"""The code that makes a state."""
NAME = b"=[tidelock]"

_DEBUG = b"local debug = package.loaded.debug "

# Lua 5.5 can use bytecode where it lies: all states run the same few lines of the processor's cache, and none has a
# copy. What a VM calls to get code holds the bytes, so that they lie there as long as the VM lives. For the lines that
# stripped code lacks Lua takes the bytes behind: there must be some.
FIXED = ("lua55",)
_BEHIND = bytes(16 * 1024)

_COMPILE = b"""
local load, dump = load, string.dump
return function(text, name, strip)
  return dump(assert(load(text, name, "t")), strip)
end
"""


# The chunk of what every state has. While it is loaded the collector rests: it would find next to nothing. The chunk is
# called once before, to see to that, as it would work for what has been read and for what Python gives. What never runs
# has its names loaded before all others.
_START = b"""
if not ... then
  return collectgarbage("stop")
end
if false then
  local _ = %s
end
%s
%s
"""
# What makes the first entity's environment makes those of others, too.
_HEAD = b"local prelude = ...\n"
_FUNCTION = b"""
local prelude = ...
return function(entity)
%s
end
"""


@cache
def _compiler(lua: str) -> Callable[[bytes, bytes, bool], bytes]:
    """Makes bytecode of text: of (text, name, whether to strip it). Made by ourselves, it may be loaded."""
    return bare_vm(lua, 1).execute(_COMPILE)  # type: ignore[no-any-return]


def compiled(lua: str, text: bytes, name: bytes, *, strip: bool = True) -> bytes:
    """A text of ours as bytecode of this very lupa, which can be used where it lies."""
    code = _compiler(lua)(text, name, strip)
    return code + _BEHIND if lua in FIXED else code


@cache
def _texts() -> dict[str, bytes]:
    """What the files of the prelude say: read all at once, as a child process can open none of them later."""
    files = (resources.files("engine.lua") / "prelude").iterdir()
    return {file.name.removesuffix(".lua"): file.read_bytes() for file in files if file.name.endswith(".lua")}


def texts_of(names: Iterable[str]) -> dict[str, bytes]:
    """What these files of the prelude say."""
    return {name: _texts()[name] for name in names}


@cache
def prelude_code(lua: str) -> dict[bytes, bytes]:
    """What makes a state, and the files of the prelude that come by themselves."""
    jit = lua == "luajit21"
    texts = texts_of(("boot", *EAGER, _LAST, *PRELUDE_LATER, *(() if jit else GUARDS)))
    code = {name.encode(): compiled(lua, _DEBUG + texts[name], NAME) for name in PRELUDE_LATER}
    code[b"environment"] = compiled(lua, _FUNCTION % texts["environment"].replace(_HEAD, b""), NAME)
    for name in () if jit else GUARDS:
        code[name.encode()] = compiled(lua, _DEBUG + texts[name], b"=[tidelock %s]" % name.encode(), strip=False)
    boot = texts["boot"].removesuffix(b"return prelude\n")
    texts["environment"] = b"local entity = prelude.home.entity\n" + texts["environment"]
    start = _START % (b", ".join(_WORDS.split()), boot, joined(texts, _JIT if jit else EAGER, jit=jit, last=_LAST))
    return code | {START: compiled(lua, start, NAME)}


@lru_cache(maxsize=256)
def script_code(lua: str, text: bytes, name: bytes) -> bytes | None:
    """A script's text as bytecode, made once for all states; None where it is wrong, which Lua tells best by itself."""
    try:
        return _compiler(lua)(text, name, False)
    except error_of(lua):
        return None
