"""Values that must be one of a few, or of a kind: easings, actions, properties of what is spawned, what is drawn."""

from __future__ import annotations

from collections.abc import Mapping, Set

from engine.check.arguments import kind_of, shown
from engine.check.finding import Report, did_you_mean, near
from engine.reading.scan import CallSite, Scan
from engine.reading.syntax import Assignment, Index, Name, Node, String, Table, walk

_CURVES = ("quad", "cubic", "quart", "quint", "sine", "expo", "circ", "back", "elastic", "bounce")
EASINGS = frozenset({"linear", *(f"{way}_{curve}" for way in ("in", "out", "in_out") for curve in _CURVES)})
ACTIONS = frozenset({"left", "right", "up", "down", "use", "back", "click"})
_DRAWN = {
    **dict.fromkeys(("x", "y", "frame", "layer", "angle", "scale", "alpha", "light"), "number"),
    "sprite": "string",
}


def check_values(script: Scan, scans: Mapping[str, Scan], actions: Set[str], report: Report) -> None:
    """`actions` are the texts in the game's Python, some of which may be names of actions."""
    _check_drawn(script, report)
    for site in script.calls:
        if site.path in ("input.down", "input.axis"):
            _check_actions(site, actions | ACTIONS, report)
        if site.path == "tween":
            _check_easing(site, report)
        elif site.path == "entity.spawn":
            _check_properties(site, scans, report)


def _check_easing(site: CallSite, report: Report) -> None:
    easing = site.call.arguments[3] if len(site.call.arguments) > 3 else None
    if isinstance(easing, String) and easing.value.replace("-", "_") not in EASINGS:
        otherwise = 'there is linear, and in_, out_ or in_out_ before a curve, as in "out_quad"'
        advice = did_you_mean(easing.value, EASINGS, otherwise)
        report.error(easing, "argument", f'there is no easing "{easing.value}"', advice, width=len(easing.value) + 2)


def _check_properties(site: CallSite, scans: Mapping[str, Scan], report: Report) -> None:
    """`{ secons = 2 }` for a script that has `seconds`; any other field is the game's own business."""
    if len(site.call.arguments) < 2 or not isinstance(site.call.arguments[0], String):
        return
    script, given = site.call.arguments[0], site.call.arguments[1]
    target = scans.get(script.value)
    properties = target.members.get("properties") if target is not None else None
    if target is None or properties is None or not isinstance(properties.value, Table) or not isinstance(given, Table):
        return
    known = {entry.key.value for entry in properties.value.entries if isinstance(entry.key, String)}
    keys = [entry.key for entry in given.entries]
    used = known | {string.value for string in target.strings if not any(string is key for key in keys)}
    for entry in given.entries:
        if isinstance(entry.key, String) and entry.key.value not in used:
            meant = near(entry.key.value, known, 0.8)
            if meant:
                message = f'"{script.value}" has no property "{entry.key.value}"'
                width = len(entry.key.value)
                report.warn(entry.key, "property", message, f'did you mean "{meant}"?', width=width)


def _check_actions(site: CallSite, actions: Set[str], report: Report) -> None:
    for argument in site.call.arguments:
        if isinstance(argument, String) and argument.value not in actions:
            otherwise = f'give it a key in main.py: WINDOW = {{"actions": {{"{argument.value}": ["space"]}}}}'
            advice = did_you_mean(argument.value, ACTIONS, otherwise, 0.7)
            message = f'there is no action "{argument.value}"'
            report.warn(argument, "action", message, advice, width=len(argument.value) + 2)


def _check_drawn(script: Scan, report: Report) -> None:
    """Fields that a window shows, and cannot show like that: `self.x = "left"`."""
    properties = script.members.get("properties")
    entries = properties.value.entries if properties is not None and isinstance(properties.value, Table) else []
    for entry in entries:
        if isinstance(entry.key, String):
            _check_kind(entry.key.value, entry.key, entry.value, report)
    for node in walk(script.body):
        match node:
            case Assignment(
                targets=[Index(object=Name(name="self"), key=String(value=field)) as place], values=[value]
            ):
                _check_kind(field, place, value, report)


def _check_kind(field: str, place: Node, value: Node, report: Report) -> None:
    wanted, kind = _DRAWN.get(field), kind_of(value)
    if wanted is not None and kind not in (None, wanted):
        message = f"self.{field} must be a {wanted} to be drawn, got {shown(value)}"
        report.warn(place, "field", message, "choose another name for what is not drawn", width=len(field))
