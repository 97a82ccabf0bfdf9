"""What a game's own scripts add for an editor: their names, their properties, the events they speak of."""

from __future__ import annotations

import re
from collections.abc import Iterable

from engine.errors import ScriptError
from engine.hooks import HOOKS
from engine.reading.lexer import LuaSyntaxError
from engine.reading.scan import CallSite, Scan, scan
from engine.reading.syntax import Constant, Node, Number, Operation, String, Table
from engine.scripts import Scripts

# The argument that is the name of an event.
EVENT_ARGUMENT = {
    "bus.on": 0, "bus.once": 0, "bus.handle": 0, "bus.emit": 0, "bus.send": 1, "bus.request": 1, "task.wait_event": 0,
}  # fmt: skip
_WORD = re.compile(r"[A-Za-z_]\w*")


def scans(scripts: Scripts) -> dict[str, Scan]:
    """Every script and library that can be read, by name."""
    found = {}
    for name in scripts.names():
        try:
            found[name] = scan(scripts.read(name).text.decode())
        except (ScriptError, LuaSyntaxError, RecursionError):
            continue  # `check` tells of it; the others' annotations are still good
    return found


def event_of(site: CallSite) -> String | None:
    """The literal name of the event that a call is about."""
    place = EVENT_ARGUMENT.get(site.path)
    if place is None or place >= len(site.call.arguments):
        return None
    name = site.call.arguments[place]
    return name if isinstance(name, String) else None


def game_text(scripts: Scripts) -> str:
    """A LuaLS file of the game's own types."""
    found = scans(scripts)
    classes = [_class(name, read) for name, read in found.items() if is_script(read)]
    events = {event.value for read in found.values() for site in read.calls if (event := event_of(site))}
    aliases = [
        _alias("tidelock.ScriptName", [name for name, read in found.items() if is_script(read)]),
        _alias("tidelock.EventName", sorted(events)),
    ]
    return "\n\n".join(["---@meta", *aliases, *classes]) + "\n"


def is_script(read: Scan) -> bool:
    """True for what looks like a script of an entity: libraries have neither hooks nor properties."""
    return "properties" in read.members or any(hook in read.members for hook in HOOKS) or not read.members


def _class(name: str, read: Scan) -> str:
    lines = [f"---@class {name.replace('/', '.')}: Script"]
    properties = read.members.get("properties")
    if properties is not None and isinstance(properties.value, Table):
        for entry in properties.value.entries:
            if isinstance(entry.key, String) and _WORD.fullmatch(entry.key.value):
                lines.append(f"---@field {entry.key.value} {_type(entry.value)}")
    return "\n".join(lines)


def _type(value: Node) -> str:
    match value:
        case String():
            return "string"
        case Number() | Operation(operator="-", operands=[Number()]):
            return "number"
        case Constant(text="true" | "false"):
            return "boolean"
        case Table(entries=entries):
            kinds = {_type(entry.value) for entry in entries if entry.key is None}
            return f"{kinds.pop()}[]" if len(kinds) == 1 and all(entry.key is None for entry in entries) else "table"
    return "any"


def _alias(name: str, values: Iterable[str]) -> str:
    rows = [f"---| {quoted}" for value in values if (quoted := _quoted(value))]
    return "\n".join([f"---@alias {name}", "---| string", *rows])


def _quoted(value: str) -> str | None:
    """A literal type; None for what LuaLS could not read as one."""
    return f'"{value}"' if value.isprintable() and '"' not in value and "\\" not in value else None
