"""Collects what a script says: which names it uses and writes, what it calls, which hooks and fields its table has."""

from __future__ import annotations

from dataclasses import dataclass, field

from engine.reading.parser import parse
from engine.reading.scopes import Scopes
from engine.reading.syntax import (
    Assignment,
    Block,
    Call,
    Definition,
    Field,
    Function,
    Global,
    Index,
    Local,
    Name,
    Node,
    Repeat,
    Return,
    String,
    Table,
    children,
    walk,
)


@dataclass(slots=True)
class Use:
    """A name that is no local, with what hangs on it: `bus.on` has the parts bus and on, each where it stands."""

    parts: list[Name]
    owner: str | None  # the function of the script's table around it

    @property
    def path(self) -> str:
        return ".".join(part.name for part in self.parts)


@dataclass(slots=True)
class CallSite:
    """A call of something that is no local. `hook` is the function of the script's table that it stands directly in."""

    path: str
    call: Call
    hook: str | None


@dataclass(slots=True)
class Member:
    """A field of the script's table; `function` and `method` are set for functions, `value` for others."""

    name: Name
    value: Node
    method: bool = False

    @property
    def function(self) -> Function | None:
        return self.value if isinstance(self.value, Function) else None


@dataclass(slots=True)
class Scan:
    """Everything known of one script."""

    body: list[Node]
    returned: Node | None = None
    table: str | None = None  # the local that is returned
    members: dict[str, Member] = field(default_factory=dict)
    uses: list[Use] = field(default_factory=list)
    writes: list[Name] = field(default_factory=list)
    declared: set[str] = field(default_factory=set)  # globals of Lua 5.5
    locals: set[str] = field(default_factory=set)
    calls: list[CallSite] = field(default_factory=list)
    self_calls: list[Call] = field(default_factory=list)
    methods: list[CallSite] = field(default_factory=list)  # `self:burn()`, `bus:on()`; the path before the colon
    strings: list[String] = field(default_factory=list)


def scan(text: str) -> Scan:
    """Read a script; `LuaSyntaxError` where it is no Lua."""
    found = Scan(parse(text))
    _find_table(found)
    found.strings = [node for node in walk(found.body) if isinstance(node, String)]
    _Scanner(found).run()
    return found


def _find_table(found: Scan) -> None:
    last = found.body[-1] if found.body else None
    if isinstance(last, Return) and last.values:
        found.returned = last.values[0]
    if isinstance(found.returned, Table):
        _take_entries(found, found.returned)
    if not isinstance(found.returned, Name):
        return
    found.table = found.returned.name
    for node in found.body:
        _take_member(found, node)


def _take_member(found: Scan, node: Node) -> None:
    match node:
        case Definition(target=Index(object=Name(name=owner), key=String() as key)) if owner == found.table:
            name = Name(key.line, key.column, key.value)
            found.members[key.value] = Member(name, node.function, node.method)
        case Assignment(targets=[Index(object=Name(name=owner), key=String() as key)], values=[value]) if (
            owner == found.table
        ):
            found.members[key.value] = Member(Name(key.line, key.column, key.value), value)
        case Local(names=[Name(name=owner)], values=[Table() as made]) if owner == found.table:
            _take_entries(found, made)


def _take_entries(found: Scan, made: Table) -> None:
    for entry in made.entries:
        if isinstance(entry.key, String):
            key = entry.key
            found.members[key.value] = Member(Name(key.line, key.column, key.value), entry.value)


class _Scanner:
    """Walks a script with its scopes."""

    def __init__(self, found: Scan) -> None:
        self._found = found
        self._scopes = Scopes(found.locals)
        self._owner: str | None = None  # the function of the script's table around this place
        self._hook: str | None = None  # the same, unless another function is in between
        self._members = {id(member.value): name for name, member in found.members.items()}

    def run(self) -> None:
        self._block(self._found.body)

    def _block(self, body: list[Node]) -> None:
        for node in body:
            self._visit(node)

    def _scope(self, names: list[Name], body: list[Node]) -> None:
        with self._scopes.opened(names):
            self._block(body)

    def _visit(self, node: Node) -> None:
        match node:
            case Local(names=names, values=values):
                self._block(values)
                self._scopes.bind(names, values)
            case Global(names=names, values=values):
                self._block(values)
                self._found.declared.update(name.name for name in names)
            case Definition():
                self._definition(node)
            case Function():
                self._function(node, [])
            case Assignment(targets=targets, values=values):
                self._block(values)
                for target in targets:
                    self._assign(target)
            case Block(names=names, conditions=conditions, body=body):
                self._block(conditions)
                self._scope(names, body)
            case Repeat(body=body, condition=condition):
                self._scope([], [*body, condition])
            case Call():
                self._call(node)
            case Name() | Index():
                self._use(node)
            case Field(key=String(), value=value):
                self._visit(value)
            case _:
                self._block(list(children(node)))

    def _definition(self, node: Definition) -> None:
        if node.local and isinstance(node.target, Name):
            self._scopes.bind([node.target])
        else:
            self._assign(node.target)
        implied = [Name(node.line, node.column, "self")] if node.method else []
        self._function(node.function, implied)

    def _function(self, node: Function, implied: list[Name]) -> None:
        before = self._owner, self._hook
        member = self._members.get(id(node))
        self._owner, self._hook = (member, member) if member is not None else (self._owner, None)
        rest = [] if node.rest is None else [node.rest]
        self._scope([*implied, *node.parameters, *rest], node.body)
        self._owner, self._hook = before

    def _assign(self, target: Node) -> None:
        if isinstance(target, Name):
            if not self._scopes.has(target.name):
                self._found.writes.append(target)
        elif isinstance(target, Index):
            self._visit(target.object)
            if not isinstance(target.key, String):
                self._visit(target.key)

    def _call(self, node: Call) -> None:
        parts = self._scopes.parts(node.function)
        if parts is not None and node.method is None:
            self._found.calls.append(CallSite(".".join(part.name for part in parts), node, self._hook))
        match node.function:
            case Index(object=Name(name="self"), key=String()) if node.method is None:
                self._found.self_calls.append(node)
            case Name(name="self") if node.method is not None and self._owner is not None:
                self._found.methods.append(CallSite("self", node, self._hook))
            case Name(name=name) if node.method is not None and not self._scopes.has(name):
                self._found.methods.append(CallSite(name, node, self._hook))
        self._visit(node.function)
        self._block(node.arguments)

    def _use(self, node: Node) -> None:
        parts = self._scopes.parts(node)
        if parts is not None:
            if not (isinstance(node, Name) and self._scopes.has(node.name)):
                self._found.uses.append(Use(self._placed(parts, node), self._owner))
        elif isinstance(node, Index):
            self._visit(node.object)
            if not isinstance(node.key, String):
                self._visit(node.key)

    def _placed(self, parts: list[Name], node: Node) -> list[Name]:
        """The parts at the places of this use, not where the alias in front of them was made."""
        placed = list(parts)
        at = len(parts) - 1
        while isinstance(node, Index) and at >= 0:
            placed[at] = Name(node.line, node.column, parts[at].name)
            node, at = node.object, at - 1
        if at >= 0 and isinstance(node, Name):
            placed[: at + 1] = [Name(node.line, node.column, part.name) for part in parts[: at + 1]]
        return placed
