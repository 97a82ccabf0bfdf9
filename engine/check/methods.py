"""Calls of the script's own functions, `self:burn()`: those that are missing, those that wait where nothing can."""

from __future__ import annotations

from engine.annotations.stubs import by_name
from engine.check.finding import Report, did_you_mean
from engine.check.hooks import CANNOT_WAIT
from engine.hooks import HOOKS
from engine.reading.scan import CallSite, Scan
from engine.reading.syntax import Assignment, Call, Definition, Index, Local, Name, Node, String, Table, walk


def check_methods(script: Scan, report: Report) -> None:
    waiting = _waiting(script)
    functions = _functions(script)
    for site in script.methods:
        if site.path != "self" or site.call.method is None:
            continue
        name = site.call.method
        if functions is not None and name.name not in functions:
            advice = did_you_mean(name.name, functions, f"write function {script.table}:{name.name}()")
            report.error(name, "method", f'self has no function "{name.name}"', advice, width=len(name.name))
        elif site.hook in CANNOT_WAIT and name.name in waiting:
            message = f"self:{name.name}() waits, which {site.hook} cannot: it runs every frame"
            advice = f"start a task: task.spawn(function() self:{name.name}() end)"
            report.error(name, "wait", message, advice, width=len(name.name))


def _waiting(script: Scan) -> set[str]:
    """The script's functions that wait in themselves or in others of its functions."""
    declared = by_name()
    found = {site.hook for site in script.calls if site.path in declared and declared[site.path].suspends}
    calls = {(site.hook, _method(site)) for site in script.methods if site.path == "self"}
    size = -1
    while size != len(found):
        size = len(found)
        found |= {caller for caller, called in calls if called in found}
    return {name for name in found if name is not None}


def _method(site: CallSite) -> str:
    return site.call.method.name if site.call.method is not None else ""


def _functions(script: Scan) -> set[str] | None:
    """All that `self` may have to call; None where the text does not tell."""
    if script.table is None or not _is_plain(script):
        return None
    found = {*script.members, *HOOKS}
    for node in walk(script.body):
        match node:
            case Assignment(targets=targets):
                found |= {_key(target) for target in targets}
            case Definition(target=target):
                found.add(_key(target))
    return found


def _key(target: Node) -> str:
    return target.key.value if isinstance(target, Index) and isinstance(target.key, String) else ""


def _is_plain(script: Scan) -> bool:
    """The table is made in this file, and nothing else can put functions into it or into `self`."""
    made = any(
        isinstance(node, Local)
        and [name.name for name in node.names] == [script.table]
        and [type(value) for value in node.values] == [Table]
        for node in script.body
    )
    return made and not any(_fills(node, script.table) for node in walk(script.body))


def _fills(node: Node, table: str | None) -> bool:
    match node:
        case Call(arguments=arguments):
            return any(isinstance(each, Name) and each.name == table for each in arguments) or (
                isinstance(node.function, Name)
                and node.function.name in ("setmetatable", "rawset")
                and any(isinstance(each, Name) and each.name == "self" for each in arguments)
            )
        case Assignment(targets=targets):
            return any(
                isinstance(target, Index) and not isinstance(target.key, String) and isinstance(target.object, Name)
                and target.object.name in (table, "self")
                for target in targets
            )  # fmt: skip
    return False
