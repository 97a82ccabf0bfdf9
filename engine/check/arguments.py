"""What is passed to the functions of the engine: how many arguments, and of which kind, as far as the text tells."""

from __future__ import annotations

import re
from collections.abc import Iterator

from engine.annotations.stubs import Declaration, by_name
from engine.check.finding import Report
from engine.reading.scan import Scan
from engine.reading.syntax import Call, Constant, Function, Name, Node, Number, Operation, String, Table

_SECONDS = {"wait": 0, "task.wait": 0, "task.delay": 0, "task.every": 0}
_TAKES_FUNCTION = {
    "bus.on": 1, "bus.once": 1, "bus.handle": 1, "shared.watch": 1, "task.spawn": 0, "task.defer": 0, "task.delay": 1,
    "task.every": 1, "task.finally": 0, "task.wait_until": 0, "task.group": 0,
}  # fmt: skip
_KINDS = {
    "number": ("number",),
    "integer": ("number",),
    "string": ("string",),
    "string|number": ("string", "number"),
    "tidelock.EventName": ("string",),
    "tidelock.ScriptName": ("string",),
    "tidelock.ScriptName|string": ("string",),
    "tidelock.Where": ("string",),
    "tidelock.Align": ("string",),
    "tidelock.Color": ("string", "table"),
    "table": ("table",),
}
_WORDS = {
    "tidelock.Where": ("world", "screen"),
    "tidelock.Align": ("left", "center", "right"),
}
_HEX = re.compile(r"#[0-9a-fA-F]{6}([0-9a-fA-F]{2})?")


def check_arguments(script: Scan, report: Report) -> None:
    for site in script.calls:
        declared = by_name().get(site.path)
        if declared is None or site.call.method is not None:
            continue
        found = len(report.findings)
        _check_seconds(site.path, site.call, report)
        _check_function_argument(site.path, site.call, report)
        _check_count(declared, site.call, report)
        if len(report.findings) == found and site.path != "entity.spawn":  # whose script is a name of the game
            _check_kinds(declared, site.call, report)


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
    if isinstance(argument, Call) and argument.method is not None and is_self(argument.function):
        advice = f"write function() self:{argument.method.name}(...) end"
        report.error(argument, "argument", f"{path} gets the result of a call, not a function", advice)
    elif isinstance(argument, String | Number | Table | Constant):
        swapped = any(isinstance(other, Function) for other in call.arguments)
        advice = f"it is {by_name()[path].signature}" if swapped else "write function() ... end"
        report.error(argument, "argument", f"{path} needs a function", advice)


def _check_count(declared: Declaration, call: Call, report: Report) -> None:
    path, count = declared.names[0], len(call.arguments)
    last = call.arguments[-1] if call.arguments else None
    spreads = isinstance(last, Call) or (isinstance(last, Constant) and last.text == "...")
    wrong = "needs more" if count < declared.required and not spreads else ""
    if declared.most is not None and count > declared.most:
        wrong = "takes fewer"
    if wrong:
        advice = f"it is {declared.signature}"
        report.error(call, "argument", f"{path} {wrong} arguments", advice, width=width_of(path))


def _check_kinds(declared: Declaration, call: Call, report: Report) -> None:
    """What stands there as it is must be of the kind that the annotations say."""
    for name, argument in _given(declared, call):
        wanted, kind = _KINDS.get(declared.kinds.get(name, "")), kind_of(argument)
        if wanted is None or kind is None:
            continue
        what, width = f"{declared.names[0]}: {name}", len(shown(argument))
        if kind not in wanted:
            message = f"{what} must be a {' or a '.join(wanted)}, got {shown(argument)}"
            report.error(argument, "argument", message, f"it is {declared.signature}", width=width)
            return
        if isinstance(argument, String) and (problem := _problem_of(declared.kinds[name], argument.value)):
            report.error(argument, "argument", f"{what} {problem}", f"it is {declared.signature}", width=width)


def _given(declared: Declaration, call: Call) -> Iterator[tuple[str, Node]]:
    """Each argument with its parameter: a place or an alignment may stand earlier, in place of what is left out."""
    left = list(declared.parameters)
    for argument in call.arguments:
        text = argument.value if isinstance(argument, String) else None
        for skipped, name in enumerate(left):
            if text in _WORDS.get(declared.kinds.get(name, ""), ()):
                left = left[skipped:]
            if name not in declared.optional:
                break
        if not left:
            return
        yield left.pop(0), argument


def _problem_of(kind: str, text: str) -> str:
    words = _WORDS.get(kind, ())
    if words and text not in words:
        *others, last = (f'"{word}"' for word in words)
        return f'must be {", ".join(others)} or {last}, got "{text}"'
    if kind == "tidelock.Color" and text.startswith("#") and not _HEX.fullmatch(text):
        return f'must be a colour like "#ffd9a0" or {{255, 217, 160}}, got "{text}"'
    return ""


def kind_of(node: Node) -> str | None:
    """The type of a value that stands there as it is; None for what the text does not tell, and for nil."""
    match node:
        case String():
            return "string"
        case Number():
            return "number"
        case Table():
            return "table"
        case Function():
            return "function"
        case Constant(text="true" | "false"):
            return "boolean"
    return None


def shown(node: Node) -> str:
    """A value of such a type, for messages."""
    match node:
        case String(value=value):
            return f'"{value}"'
        case Number(text=text) | Constant(text=text):
            return text
    return f"a {kind_of(node)}"


def width_of(path: str) -> int:
    """The place of a call is that of the last part of its name."""
    return len(path.rpartition(".")[2])


def is_self(node: Node) -> bool:
    return isinstance(node, Name) and node.name == "self"
