"""The table that a script returns: its hooks, and what may not happen in them."""

from __future__ import annotations

from engine.annotations.stubs import by_name
from engine.check.finding import Report
from engine.hooks import HOOKS, meant_hook
from engine.reading.scan import Member, Scan
from engine.reading.syntax import Call, Constant, Function, Index, Name, Node, Number, Operation, String, Table, walk

_WITH_ARGUMENT = ("update", "fixed_update", "late_update", "on_event", "on_input", "on_reload", "final")
_SELVES = ("self", "me", "this", "_")
CANNOT_WAIT = ("update", "fixed_update", "late_update")
_SECONDS = {"wait": 0, "task.wait": 0, "task.delay": 0, "task.every": 0}
_TAKES_FUNCTION = {
    "bus.on": 1, "bus.once": 1, "bus.handle": 1, "shared.watch": 1, "task.spawn": 0, "task.defer": 0, "task.delay": 1,
    "task.every": 1, "task.finally": 0, "task.wait_until": 0, "task.group": 0,
}  # fmt: skip
_FIELDS = {"properties": Table, "isolation": String, "clock": String}


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
                "start a task: task.spawn(function() ... end), or do it in start", width=_width(site.path),
            )  # fmt: skip
        _check_seconds(site.path, site.call, report)
        _check_function_argument(site.path, site.call, report)
        _check_count(site.path, site.call, report)
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
    if member.function is None:
        wanted, literal = _FIELDS.get(name), isinstance(member.value, Table | String | Number)
        if wanted is not None and literal and not isinstance(member.value, wanted):
            kind = "table" if wanted is Table else "string"
            report.error(member.name, "field", f'"{name}" must be a {kind}', "see the scripting page", width=width)
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


def _check_seconds(path: str, call: Call, report: Report) -> None:
    place = _SECONDS.get(path)
    if place is None or place >= len(call.arguments):
        return
    argument = call.arguments[place]
    if isinstance(argument, String):
        report.error(argument, "argument", f"{path}: seconds must be a number", "leave the quotes away")
    elif isinstance(argument, Operation) and argument.operator == "-" and len(argument.operands) == 1:
        if isinstance(argument.operands[0], Number):
            report.error(argument, "argument", f"{path}: seconds must be >= 0", "time only goes forward")
    elif isinstance(argument, Number) and _value(argument) >= 500:
        report.warn(
            argument, "argument", f"{path}: {argument.text} seconds is long", "times are seconds, no milliseconds"
        )


def _value(number: Number) -> float:
    try:
        return float(number.text)
    except ValueError:
        return 0.0


def _check_function_argument(path: str, call: Call, report: Report) -> None:
    place = _TAKES_FUNCTION.get(path)
    if place is None or place >= len(call.arguments):
        return
    argument = call.arguments[place]
    if isinstance(argument, Call) and argument.method is not None and _is_self(argument.function):
        advice = f"write function() self:{argument.method.name}(...) end"
        report.error(argument, "argument", f"{path} gets the result of a call, not a function", advice)
    elif isinstance(argument, String | Number | Table | Constant):
        report.error(argument, "argument", f"{path} needs a function", "write function() ... end")


def _check_count(path: str, call: Call, report: Report) -> None:
    declared = by_name().get(path)
    if declared is None or call.method is not None:
        return
    count = len(call.arguments)
    last = call.arguments[-1] if call.arguments else None
    spreads = isinstance(last, Call) or (isinstance(last, Constant) and last.text == "...")
    if count < declared.required and not spreads:
        report.error(
            call, "argument", f"{path} needs more arguments", f"it is {declared.signature}", width=_width(path)
        )
    elif declared.most is not None and count > declared.most:
        report.error(
            call, "argument", f"{path} takes fewer arguments", f"it is {declared.signature}", width=_width(path)
        )


def _width(path: str) -> int:
    """The place of a call is that of the last part of its name."""
    return len(path.rpartition(".")[2])


def _check_self_call(call: Call, script: Scan, report: Report) -> None:
    key = call.function.key if isinstance(call.function, Index) else None
    member = script.members.get(key.value) if isinstance(key, String) else None
    passes_self = bool(call.arguments) and _is_self(call.arguments[0])
    if member is not None and member.method and not passes_self:
        name = member.name.name
        report.error(call, "method", f"self.{name}() gets no self", f"write self:{name}(...)", width=len(name))


def _is_self(node: Node) -> bool:
    return isinstance(node, Name) and node.name == "self"
