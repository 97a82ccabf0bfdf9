"""Events that nobody sends, and events that nobody hears, over all scripts of a game."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from engine.annotations.game import event_of
from engine.check.finding import Report, did_you_mean
from engine.reading.scan import Scan
from engine.reading.syntax import String

_SENDS = ("bus.emit", "bus.send", "bus.request")
_HEARS = ("bus.on", "bus.once", "bus.handle", "task.wait_event")


class _Mention(NamedTuple):
    script: str
    name: String


def check_events(scans: Mapping[str, Scan], reports: Mapping[str, Report], elsewhere: set[str]) -> None:
    """Report lonely events. Names in `elsewhere` (Python files, tests) count as both sent and heard."""
    sent, heard = _mentions(scans, _SENDS), _mentions(scans, _HEARS)
    spoken = elsewhere | _other_strings(scans, {id(mention.name) for mention in (*sent, *heard)})
    sent_names, heard_names = {m.name.value for m in sent} | spoken, {m.name.value for m in heard} | spoken
    for mention in heard:
        if not _matches(mention.name.value, sent_names):
            known = {other.name.value for other in sent}
            _report(mention, "sends", (known - heard_names, known), reports)
    for mention in sent:
        if not any(_matches(pattern, {mention.name.value}) for pattern in heard_names):
            known = {other.name.value for other in heard}
            _report(mention, "hears", (known - sent_names, known), reports)


def strings_of(files: Iterable[Path]) -> set[str]:
    """All string constants and keywords of calls in some Python files; unreadable ones say nothing."""
    found: set[str] = set()
    for file in files:
        try:
            tree = ast.parse(file.read_bytes())
        except (SyntaxError, ValueError, OSError):
            continue
        for node in ast.walk(tree):
            word = node.value if isinstance(node, ast.Constant) else node.arg if isinstance(node, ast.keyword) else None
            if isinstance(word, str):
                found.add(word)
    return found


def _mentions(scans: Mapping[str, Scan], calls: tuple[str, ...]) -> list[_Mention]:
    sites = ((name, site) for name, read in scans.items() for site in read.calls if site.path in calls)
    return [_Mention(name, event) for name, site in sites if (event := event_of(site))]


def _other_strings(scans: Mapping[str, Scan], known: set[int]) -> set[str]:
    """Strings that are no argument of the bus: names that are compared with, kept in tables, put together."""
    return {string.value for read in scans.values() for string in read.strings if id(string) not in known}


def _matches(pattern: str, names: set[str]) -> bool:
    if pattern == "*":
        return True
    if pattern.endswith(".*"):
        return any(name.startswith(pattern[:-1]) or name == pattern for name in names)
    return pattern in names


def _report(mention: _Mention, who: str, known: tuple[set[str], set[str]], reports: Mapping[str, Report]) -> None:
    """Suggests one of the names that are lonely too, else any known one."""
    name, (lonely, all_) = mention.name, known
    otherwise = "send it with bus.emit" if who == "sends" else "listen to it with bus.on, or leave it out"
    advice = did_you_mean(name.value, lonely, "", 0.7) or did_you_mean(name.value, all_, otherwise, 0.7)
    reports[mention.script].warn(name, "event", f'nobody {who} "{name.value}"', advice, width=len(name.value) + 2)
