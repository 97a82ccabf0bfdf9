"""Makes errors of what Lua said: the place out of the message, and a traceback that people can read."""

from __future__ import annotations

import re

from engine.errors import ScriptError

_PLACE = re.compile(r"^([^:\n]+):(\d+): (.*)$", re.DOTALL)
_PRELUDE_FRAME = re.compile(r"^\s*(\?:|\[tidelock|\[C\]: in (function 'xpcall'|\?)|\(\.\.\.tail calls\.\.\.\))")
_PRELUDE_NAME = re.compile(r"in (field|upvalue|local|function) '(fn|\?)?'$")


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
