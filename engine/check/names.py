"""Globals and the names of the engine: what is misspelt, what scripts do not have, what should be local."""

from __future__ import annotations

from collections.abc import Mapping

from engine.annotations.registry import Entry
from engine.annotations.stubs import by_name
from engine.check.finding import Report, did_you_mean, near
from engine.reading.scan import CallSite, Scan, Use
from engine.reading.syntax import Name

# Names that people expect, and what there is instead.
_INSTEAD = {
    "io": 'scripts have no files; install the host module "files" and require it',
    "os": "scripts have os.time, os.clock and os.difftime only",
    "debug": "scripts have no debug library",
    "package": "scripts have require, but no package library",
    "dofile": 'use require "name"',
    "loadfile": 'use require "name"',
    "love": 'see "coming from LÖVE" in the docs: hooks instead of love.update, self instead of love.graphics',
    "null": 'write "nil"',
    "None": 'write "nil"',
    "undefined": 'write "nil"',
    "True": 'write "true"',
    "False": 'write "false"',
    "this": 'write "self"',
    "sleep": 'use "wait"',
    "go": "use self for fields, tween to move them, entity.destroy() to delete",
    "msg": "use bus.send(id, name, payload), or bus.emit for all",
    "factory": 'use entity.spawn("name", { x = 1 })',
    "Instance": 'use entity.spawn("name", { x = 1 })',
    "game": "there is no game object: use bus, entity and shared",
    "workspace": "there is no workspace: use bus, entity and shared",
    "typeof": 'use "type"',
    "warn": "use log.warn",
    "unpack": "use table.unpack: this Lua has no global of that name",
    "loadstring": 'use "load": this Lua has no loadstring',
    "setfenv": "use the fourth argument of load: this Lua has no setfenv",
    "math.atan2": "use math.atan(y, x)",
    "math.pow": "use x ^ y",
    "math.clamp": "use math.max(low, math.min(high, x))",
    "math.round": "use math.floor(x + 0.5)",
    "table.getn": "use #list",
    "table.find": "Lua has no such function: write it in a library",
    "table.clone": "Lua has no such function: write it in a library",
    "string.split": "Lua has no such function: use string.gmatch",
}


def check_names(script: Scan, known: Mapping[str, Entry], exports: Mapping[str, set[str]], report: Report) -> None:
    """Report every use of a name that no script has."""
    globals_ = {name for name in known if "." not in name} | {"_G", "_ENV"}
    own = {name.name for name in script.writes} | script.declared
    for use in script.uses:
        root = use.parts[0]
        if root.name.startswith("require "):
            _check_library(use, exports, report)
        elif root.name in own:
            continue
        elif root.name not in globals_:
            _unknown(root, use, script, globals_ | own, report)
        elif len(use.parts) > 1:
            _check_field(use, known, report)
    for site in script.methods:
        _check_colon(site, known, report)
    _check_writes(script, globals_, report)


def _check_colon(site: CallSite, known: Mapping[str, Entry], report: Report) -> None:
    """`bus:on(...)` would pass `bus` as the first argument."""
    name = site.call.method
    if name is not None and known.get(site.path, Entry("", 0)).kind == "table" and f"{site.path}.{name.name}" in known:
        wrong, right = f"{site.path}:{name.name}", f"{site.path}.{name.name}"
        report.error(name, "api", f"{wrong}(...) has a colon", f"write {right}(...)", width=len(name.name))


def _unknown(root: Name, use: Use, script: Scan, globals_: set[str], report: Report) -> None:
    if root.name == "self":
        advice = f"write function {script.table or 'script'}:{use.owner or 'init'}(...)"
        report.error(root, "global", 'there is no "self" here', advice, width=4)
        return
    advice = _INSTEAD.get(root.name) or did_you_mean(
        root.name, globals_ | script.locals, "write local before its first use, or pass it in", 0.65
    )
    report.error(root, "global", f'there is no global "{root.name}"', advice, width=len(root.name))


def _check_field(use: Use, known: Mapping[str, Entry], report: Report) -> None:
    library, member = use.parts[0], use.parts[1]
    entry = known.get(library.name)
    if entry is None or entry.kind != "table" or f"{library.name}.{member.name}" in known:
        return
    members = [name.partition(".")[2] for name in known if name.startswith(library.name + ".")]
    if not members:
        return
    advice = _INSTEAD["os"] if library.name == "os" else _INSTEAD.get(f"{library.name}.{member.name}", "")
    advice = advice or did_you_mean(member.name, members) or _elsewhere(member.name, known)
    message = f'there is no "{library.name}.{member.name}"'
    report.error(member, "api", message, advice or f"there is {', '.join(sorted(members))}", width=len(member.name))


def _elsewhere(name: str, known: Mapping[str, Entry]) -> str:
    """`bus.wait_event`: the right name on the wrong library."""
    found = [path for path in known if path.rpartition(".")[2] == name and path in by_name()]
    return f'did you mean "{found[0]}"?' if found else ""


def _check_library(use: Use, exports: Mapping[str, set[str]], report: Report) -> None:
    library = use.parts[0].name.removeprefix("require ")
    members = exports.get(library)
    if members is None or len(use.parts) < 2 or use.parts[1].name in members:
        return
    member = use.parts[1]
    advice = did_you_mean(member.name, members, f"there is {', '.join(sorted(members)) or 'nothing'}")
    report.error(member, "library", f'"{library}" has no "{member.name}"', advice, width=len(member.name))


def _check_writes(script: Scan, globals_: set[str], report: Report) -> None:
    seen: set[str] = set()
    for name in script.writes:
        if name.name in seen or name.name in script.declared:
            continue
        seen.add(name.name)
        if name.name in globals_:
            message, advice = f'"{name.name}" of the engine is overwritten here', "choose another name, with local"
        else:
            similar = near(name.name, script.locals, 0.85)
            advice = f'did you mean the local "{similar}"?' if similar else f"write local {name.name}"
            message = f'"{name.name}" becomes a global'
        report.warn(name, "write", message, advice, width=len(name.name))
