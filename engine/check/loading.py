"""What happens while a script loads: libraries that require each other, waits, libraries that give nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from engine.annotations.stubs import by_name
from engine.check.arguments import width_of
from engine.check.finding import Report
from engine.reading.scan import Scan
from engine.reading.syntax import Call, Function, Index, Name, Node, String, children


def check_loading(name: str, scans: Mapping[str, Scan], report: Report) -> None:
    for call in _calls_while_loading(scans[name].body):
        path = _path(call.function)
        if path == "require":
            _check_require(name, call, scans, report)
        elif path in by_name() and by_name()[path].suspends:
            message = f"{path} cannot wait while the script loads"
            report.error(call, "wait", message, "do it in start", width=width_of(path))


def _check_require(name: str, call: Call, scans: Mapping[str, Scan], report: Report) -> None:
    required = _required(call, scans)
    if required is None:
        return
    wanted, width = call.arguments[0], len(required) + 2
    circle = _way(required, name, scans)
    if circle:
        told = " → ".join(each.replace("/", ".") for each in [name, *circle])
        advice = "put what both need into a third one, or require it inside a function"
        report.error(wanted, "require", f"these libraries require each other: {told}", advice, width=width)
    elif scans[required].returned is None:
        advice = f"end scripts/{required}.lua with a return"
        report.warn(wanted, "require", f'"{required}" returns nothing, so require gives true', advice, width=width)


def _way(start: str, goal: str, scans: Mapping[str, Scan]) -> list[str]:
    """The shortest way of requires from `start` to `goal`; empty where there is none."""
    ways, seen = [[start]], {start}
    for way in ways:
        if way[-1] == goal:
            return way
        for call in _calls_while_loading(scans[way[-1]].body):
            after = _required(call, scans) if _path(call.function) == "require" else None
            if after is not None and after not in seen:
                seen.add(after)
                ways.append([*way, after])
    return []


def _required(call: Call, scans: Mapping[str, Scan]) -> str | None:
    """The script that `require "name"` loads, where it is one of the game that can be read."""
    first = call.arguments[0] if call.arguments else None
    path = first.value.replace(".", "/") if isinstance(first, String) else ""
    return next((found for found in (path, f"{path}/init") if found in scans), None)


def _calls_while_loading(nodes: list[Node]) -> Iterator[Call]:
    """Calls that stand in no function."""
    for node in nodes:
        if isinstance(node, Function):
            continue
        if isinstance(node, Call):
            yield node
        yield from _calls_while_loading(list(children(node)))


def _path(function: Node) -> str:
    match function:
        case Name(name=name):
            return name
        case Index(object=Name(name=library), key=String(value=key)):
            return f"{library}.{key}"
    return ""
