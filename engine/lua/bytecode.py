"""Makes bytecode, once for all states: of the prelude's files, and of what scripts say."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, lru_cache
from importlib import resources

from engine.lua.joining import joined
from engine.lua.versions import bare_vm, error_of

# What every state has from its start, which is enough for an entity that moves and waits. A file uses only what stands
# before it. First comes what runs in every tick of a calm state, and the names that it reads, of who draws and is
# drawn, too, so that they lie together: among a thousand states each page of memory is found anew, and a tick whose
# objects lie on few of them takes a third less.
EAGER = ("clock", "home", "face", "wait", "worker", "memory", "budget", "sandbox", "watch", "calm", "leftovers")
_WORDS = b"wait self x y now dt frame sprite layer alpha draw light math name sender exposed ear beat on_end"

# What comes together as soon as a state does more.
PUMP = (
    "waiting",
    "records",
    "spending",
    "turns",
    "endings",
    "scheduler",
    "outbox",
    "mail",
    "script",
    "entity",
    "screen",
    "tick",
    "pump",
    "library",
    "body",
)

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
    "face",
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
SETTINGS = b"settings"
"""What the pump asks for when it is loaded: the state's limits and who answers it."""
LOADED = b"loaded"
"""What it asks for when that is done."""
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


# Chunks of what every state has, and of the pump. While they are loaded the collector rests: it would find next to
# nothing. What never runs in the first one has its names loaded before all others.
_START = b"""
collectgarbage("stop")
if false then
  local _ = %s
end
%s
%s
prelude.memory.begin()
local read = prelude.calm.read
prelude.calm.read = nil
return prelude, read
"""
# No hook may look at what is half there. Where the stack ends before all is, nothing of it stays: whoever asks next
# begins anew.
_PUMP = b"""
local prelude, give, name = ...
local debug, pcall, error = package.loaded.debug, pcall, error
local looked = debug.gethook()
local function fill(...)
%s
end
local function load()
  debug.sethook()
  collectgarbage("stop")
  fill(give("settings"))
end
local ok, problem = pcall(load)
give("loaded")
prelude.memory.begin()
if looked then
  debug.sethook(prelude.budget.hook, "", 1000)
end
if not ok then
  %s = nil
  error(problem, 0)
end
return prelude[name]
"""


@cache
def _compiler(lua: str) -> Callable[[bytes, bytes, bool], bytes]:
    """Makes bytecode of text: of (text, name, whether to strip it). Made by ourselves, it may be loaded."""
    return bare_vm(lua, 1).execute(_COMPILE)  # type: ignore[no-any-return]


@cache
def prelude_code(lua: str) -> dict[bytes, bytes]:
    """The prelude's files as bytecode of this very lupa."""
    folder = resources.files("engine.lua") / "prelude"
    compile_text = _compiler(lua)
    guards = () if lua == "luajit21" else GUARDS
    texts = {name: (folder / f"{name}.lua").read_bytes() for name in ("boot", *EAGER, *PUMP, *PRELUDE_LATER, *guards)}
    code = {name.encode(): compile_text(_DEBUG + texts[name], NAME, True) for name in PRELUDE_LATER}
    for name in guards:
        code[name.encode()] = compile_text(_DEBUG + texts[name], b"=[tidelock %s]" % name.encode(), False)
    jit = lua == "luajit21"
    boot = texts["boot"].removesuffix(b"return prelude\n")
    start = _START % (b", ".join(_WORDS.split()), boot, joined(texts, _JIT if jit else EAGER, jit=jit))
    code[START] = compile_text(start, NAME, True)
    modules = ", ".join(f"prelude.{name}" for name in PUMP).encode()
    pump = compile_text(_PUMP % (joined(texts, PUMP, jit=jit), modules), NAME, True)
    code |= dict.fromkeys((name.encode() for name in PUMP), pump)
    if lua not in FIXED:
        return code
    behind = {part: part + _BEHIND for part in code.values()}
    return {name: behind[part] for name, part in code.items()}


@lru_cache(maxsize=256)
def script_code(lua: str, text: bytes, name: bytes) -> bytes | None:
    """A script's text as bytecode, made once for all states; None where it is wrong, which Lua tells best by itself."""
    try:
        return _compiler(lua)(text, name, False)
    except error_of(lua):
        return None
