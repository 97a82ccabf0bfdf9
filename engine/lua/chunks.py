"""Which files of the prelude are loaded as one chunk: who needs one of them needs the others.

A file that comes by itself takes a crossing, and has names, functions and upvalues of its own.
"""

from __future__ import annotations

from functools import cache

from engine.lua.bytecode import NAME, compiled, texts_of
from engine.lua.joining import joined

SETTINGS = b"settings"
"""What a chunk asks for when it is loaded: the state's limits and who answers it."""
LOADED, FAILED = b"loaded", b"failed"
"""What it asks for when that is done, or could not be."""

# What comes as soon as a state does more than to move and to wait. The first two may be there already.
PUMP = (
    b"access",
    b"charging",
    b"waiting",
    b"records",
    b"spending",
    b"turns",
    b"endings",
    b"scheduler",
    b"outbox",
    b"mail",
    b"entity",
    b"screen",
    b"tick",
    b"pump",
    b"library",
    b"body",
    b"leftovers",
)

# What comes with the first of these words that a state asks for, after the pump.
_TIMERS = (b"queue", b"several")
_FRAMES = (b"telling", b"standing", b"tray", b"cycle", b"steady")
_TELLING = (b"tray", b"posting")
_EVENTS = (b"checks", b"reading", *_TELLING, b"bus")
_TASKS = (*_TIMERS, b"checks", b"fault", b"exposed", b"coroutines", b"suspension")
_BIRTHS = (b"script", b"births")
TOGETHER: dict[bytes, tuple[bytes, ...]] = {
    **dict.fromkeys(PUMP[2:], ()),
    **dict.fromkeys(_TIMERS, _TIMERS),
    b"waiting": _TIMERS,  # asked for by who waits some seconds
    b"entity": _FRAMES,  # by who has `update`
    b"standing": _FRAMES,
    b"steady": _FRAMES,
    b"telling": (b"telling",),  # by who shows itself
    b"script": (b"script",),
    b"births": _BIRTHS,  # by who does not lie in wait for its birth
    b"ahead": (*_BIRTHS, b"copies", b"ahead"),
    b"bus": _EVENTS,
    b"hearing": (*_EVENTS, b"standing", b"hearing"),
    b"payload": (b"reading", b"spelling", b"payload"),
    b"entities": (*_EVENTS[:-1], b"entities"),
    b"shared": (*_EVENTS, b"shared"),
    b"window": (*_TELLING, b"window"),
    b"task": (*_TASKS, b"task"),
    b"leaving": (b"stops", b"leaving"),
}

# No hook may look at what is half there, and the collector would find next to nothing. One that looked before may have
# had all of it loaded. Where the stack ends before all is there, nothing of it stays: whoever asks next begins anew.
_CHUNK = b"""
local prelude, give, name = ...
local debug, pcall, error = package.loaded.debug, pcall, error
local hook, mask, count = debug.gethook()
debug.sethook()
local function fill(...)
%s
end
local function load()
  collectgarbage("stop")
  fill(give("settings"))
end
local ok, problem = true, nil
if not rawget(prelude, name) then
  ok, problem = pcall(load)
  if not ok then
    %s = nil
  end
  pcall(give, ok and "loaded" or "failed")
  prelude.memory.begin()
end
if hook then
  debug.sethook(hook, mask, count)
end
if not ok then
  error(problem, 0)
end
return prelude[name]
"""


def missing(name: bytes, used: frozenset[bytes]) -> tuple[bytes, ...]:
    """The files to be loaded with that of this name where those `used` are there; none where it comes by itself.

    One that is asked for is not there: where it is `used`, neither is what was to come with it.
    """
    others = TOGETHER.get(name)
    if others is None:
        return ()
    if name in used:
        used = used.difference(PUMP if name in PUMP else others)
    rest = () if used.issuperset(others) else tuple([each for each in others if each not in used])
    return rest if b"pump" in used else (*PUMP, *rest)


@cache
def chunk_code(lua: str, files: tuple[bytes, ...]) -> bytes:
    """These files as bytecode of one chunk, which gives the module that was asked for."""
    names = [file.decode() for file in files]
    text = joined(texts_of(names), names, jit=lua == "luajit21")
    modules = ", ".join(f"prelude.{name}" for name in names)
    return compiled(lua, _CHUNK % (text, modules.encode()), NAME)
