"""The table that a script returns: its hooks, and what may not happen in them."""

from __future__ import annotations

from engine.annotations.stubs import by_name
from engine.check.arguments import is_self, kind_of, shown, width_of
from engine.check.finding import Report, near
from engine.hooks import HOOKS, meant_hook
from engine.reading.scan import Member, Scan
from engine.reading.syntax import Call, Constant, Function, Index, Name, Number, String, walk

_WITH_ARGUMENT = ("update", "fixed_update", "late_update", "on_event", "on_input", "on_reload", "final")
_SELVES = ("self", "me", "this", "_")
CANNOT_WAIT = ("update", "fixed_update", "late_update")
_FIELDS = {"properties": "table", "isolation": "string", "clock": "string"}


def check_hooks(script: Scan, name: str, *, is_library: bool, is_required: bool, report: Report) -> None:
    if not is_library:
        _check_return(script, name, report)
    for member in script.members.values():
        if not is_required:
            _check_member(member, script, report)
    for site in script.calls:
        if site.hook in CANNOT_WAIT and site.path in by_name() and by_name()[site.path].suspends:
            report.error(
                site.call, "wait", f"{site.path} cannot wait in {site.hook}, which runs every frame",
                "start a task: task.spawn(function() ... end), or do it in start", width=width_of(site.path),
            )  # fmt: skip
    for call in script.self_calls:
        _check_self_call(call, script, report)


def _check_return(script: Scan, name: str, report: Report) -> None:
    last = script.body[-1] if script.body else Name(1, 1, "")
    if script.returned is None:
        table = _likely_table(script)
        report.error(last, "return", "the script returns nothing", f"end it with: return {table or name}")
    elif isinstance(script.returned, (Constant, Number, String)):
        report.error(script.returned, "return", "the script returns no table of hooks", "return a table")


def _likely_table(script: Scan) -> str | None:
    """The local that has hooks, where it is not returned."""
    for node in script.body:
        target = getattr(node, "target", None)
        if isinstance(target, Index) and isinstance(target.object, Name):
            return target.object.name
    return None


def _check_member(member: Member, script: Scan, report: Report) -> None:
    name, width = member.name.name, len(member.name.name)
    if member.function is None or name in _FIELDS:
        _check_field(member, script, report)
        return
    if name in HOOKS:
        if not member.method and _lacks_self(name, member.function):
            table = script.table or "script"
            advice = f"write function {table}:{name}(...)"
            report.error(member.name, "hook", f'the hook "{name}" has no self', advice, width=width)
        return
    meant = meant_hook(name)
    if meant and not _is_called(name, script):
        report.error(member.name, "hook", f'there is no hook "{name}"', f'did you mean "{meant}"?', width=width)


def _check_field(member: Member, script: Scan, report: Report) -> None:
    name, kind = member.name.name, kind_of(member.value)
    wanted, width = "function" if name in HOOKS else _FIELDS.get(name), len(member.name.name)
    if wanted is not None and kind not in (None, wanted):
        message = f'"{name}" must be a {wanted}, got {shown(member.value)}'
        report.error(member.name, "field", message, "see the scripting page", width=width)
    meant = near(name, [field for field in _FIELDS if _FIELDS[field] == kind], 0.75) if wanted is None else None
    if meant and not _is_called(name, script):
        message = f'the engine looks for no "{name}"'
        report.warn(member.name, "field", message, f'did you mean "{meant}"?', width=width)


def _lacks_self(name: str, function: Function) -> bool:
    """`function door.update(dt)`: its one parameter has the name of what comes after self."""
    first = function.parameters[0].name if function.parameters else "self"
    return name in _WITH_ARGUMENT and len(function.parameters) == 1 and first not in _SELVES


def _is_called(name: str, script: Scan) -> bool:
    """A method that the script itself uses is meant as it is."""
    places = 0
    for node in walk(script.body):
        match node:
            case Call(method=Name(name=called)) if called == name:
                return True
            case Index(key=String(value=key)) if key == name:
                places += 1
    return places > 1  # one of them is the definition


def _check_self_call(call: Call, script: Scan, report: Report) -> None:
    key = call.function.key if isinstance(call.function, Index) else None
    member = script.members.get(key.value) if isinstance(key, String) else None
    passes_self = bool(call.arguments) and is_self(call.arguments[0])
    if member is not None and member.method and not passes_self:
        name = member.name.name
        report.error(call, "method", f"self.{name}() gets no self", f"write self:{name}(...)", width=len(name))
