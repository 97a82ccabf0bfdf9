"""Texts among the arguments that must be one of a few: easings, the properties of what is spawned."""

from __future__ import annotations

from collections.abc import Mapping

from engine.check.finding import Report, did_you_mean, near
from engine.reading.scan import CallSite, Scan
from engine.reading.syntax import String, Table

_CURVES = ("quad", "cubic", "quart", "quint", "sine", "expo", "circ", "back", "elastic", "bounce")
EASINGS = frozenset({"linear", *(f"{way}_{curve}" for way in ("in", "out", "in_out") for curve in _CURVES)})


def check_values(script: Scan, scans: Mapping[str, Scan], report: Report) -> None:
    for site in script.calls:
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
