"""Fields of `self` that are read and never set, where another one has nearly that name."""

from __future__ import annotations

from collections.abc import Iterable, Set

from engine.check.finding import Report, near
from engine.display import FIELDS
from engine.reading.scan import Scan
from engine.reading.syntax import Assignment, Definition, Index, Name, Node, String, Table, walk


def check_fields(script: Scan, given: Set[str], report: Report) -> None:
    """`given` are names under which another script, or the game's Python, may have set a field."""
    targets = [target for node in walk(script.body) for target in _targets(node)]
    own = {name for target in targets if (name := _field(target))} | _properties(script)
    known = own | given | set(script.members) | {"x", "y", *FIELDS}
    places = {id(target) for target in targets}
    told: set[str] = set()
    for node in walk(script.body):
        name = _field(node) if id(node) not in places else ""
        meant = near(name, own, 0.8) if name and name not in known | told else None
        if meant:
            told.add(name)
            report.warn(node, "field", f"nothing sets self.{name}", f'did you mean "{meant}"?', width=len(name))


def keys_of(scripts: Iterable[Scan]) -> set[str]:
    """The names in all tables that are written down: what is spawned gets its fields from one of them."""
    tables = (node for script in scripts for node in walk(script.body) if isinstance(node, Table))
    return {entry.key.value for table in tables for entry in table.entries if isinstance(entry.key, String)}


def _targets(node: Node) -> list[Node]:
    match node:
        case Assignment(targets=targets):
            return targets
        case Definition(target=target):
            return [target]
    return []


def _field(node: Node) -> str:
    match node:
        case Index(object=Name(name="self"), key=String(value=name)):
            return name
    return ""


def _properties(script: Scan) -> set[str]:
    member = script.members.get("properties")
    entries = member.value.entries if member is not None and isinstance(member.value, Table) else []
    return {entry.key.value for entry in entries if isinstance(entry.key, String)}
