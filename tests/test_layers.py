"""The shape of engine/: what may import what, and that modules hold no state."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ENGINE = Path(__file__).parent.parent / "engine"

# From the bottom up, as the comment in engine/__init__.py says. Each room (a file or a folder) may import
# itself and the rooms that stand before it. A new one needs a place here.
LAYERS = {
    "data": [
        "words", "errors", "checks", "hooks", "limits", "spelling", "payload", "display", "report", "problems",
        "interrupts",
    ],
    "border": ["lua", "process"],
    "world": [
        "scripts", "sources", "scheduler", "workers", "shifts", "outbox", "bus", "shared", "inputs", "entity",
        "failures", "modules", "origins", "bounds", "mods", "permits", "log", "digest", "operations", "questions",
        "warm", "states", "fallen", "population", "reload", "losses", "loop", "stats", "leaks", "probes", "trace",
        "world",
    ],
    "host": ["host"],
    "package": ["__init__"],
    "project": ["project", "reading", "annotations", "check"],
    "app": ["app"],
    "testing": ["testing"],
    "cli": ["cli", "__main__"],
}  # fmt: skip
ROOMS = [room for layer in LAYERS.values() for room in layer]

ONLY_IN = {"lupa": "lua", "pygame": "app"}
MUTABLE_CALLS = {"list", "dict", "set", "bytearray", "defaultdict", "deque", "Counter", "OrderedDict"}
MUTABLE_LITERALS = (ast.List, ast.Dict, ast.Set, ast.ListComp, ast.DictComp, ast.SetComp)
CONSTANT = re.compile(r"_?[A-Z][A-Z0-9_]*|__all__")


def engine_files() -> list[Path]:
    return sorted(ENGINE.rglob("*.py"))


def name_of(file: Path) -> str:
    """`engine.lua.state` for engine/lua/state.py; a package is named by its `__init__`."""
    return ".".join(file.relative_to(ENGINE.parent).with_suffix("").parts)


def test_every_file_of_the_engine_has_a_place_in_the_layers():
    lost = [name_of(file) for file in engine_files() if room_of(name_of(file)) not in ROOMS]

    assert lost == [], "give each of these rooms a place in LAYERS"


def test_imports_go_downwards_only():
    assert [wrong for file in engine_files() for wrong in wrong_imports(name_of(file), read(file))] == []


def test_no_module_of_the_engine_holds_mutable_state():
    assert [wrong for file in engine_files() for wrong in mutable_state(name_of(file), read(file))] == []


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("engine.errors", "import engine.world"),
        ("engine.payload", "from .world import World"),
        ("engine.bus.bus", "from engine import entity"),
        ("engine.scripts", "from . import entity"),
        ("engine.bus.bus", "from engine import World"),
        ("engine.scripts", "def late():\n    from engine.scheduler import Scheduler"),
        ("engine.lua.state", "from ..host import module"),
        ("engine.lua.__init__", "from ..host import module"),
        ("engine.host.pool", "import engine.app.window as window"),
        ("engine.bus.bus", "from engine import nowhere_known"),
        ("engine.world", "import lupa"),
        ("engine.world", "import lupa.lua55"),
        ("engine.world", "from importlib import import_module\nimport_module('lupa.lua55')"),
        ("engine.cli.run", "from pygame import Surface"),
        ("engine.world", "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import pygame"),
        ("engine.bus.bus", "if TYPE_CHECKING:\n    pass\nelse:\n    import engine.world"),
    ],
)
def test_the_checker_sees_an_import_that_goes_upwards(module, source):
    assert len(wrong_imports(module, source)) == 1


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("engine.world", "from engine.errors import EngineError\nfrom . import bus, payload"),
        (
            "engine.lua.state",
            "import lupa.lua55\nfrom .handles import Handle\nfrom engine.limits import Limits",
        ),
        ("engine.lua.__init__", "from .state import LuaState\nfrom ..errors import EngineError"),
        ("engine.app.window", "import pygame\nfrom engine import World\nimport engine"),
        ("engine.__init__", "from .world import World\nfrom .host import HostModule"),
        ("engine.__main__", "from engine.cli import main"),
        (
            "engine.bus.bus",
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from engine.world import World",
        ),
        ("engine.bus.bus", "import typing\nif typing.TYPE_CHECKING:\n    from engine.world import World"),
        ("engine.bus.bus", "import engineering, json"),
    ],
)
def test_the_checker_allows_what_goes_downwards(module, source):
    assert wrong_imports(module, source) == []


@pytest.mark.parametrize(
    "source",
    [
        "worlds = []",
        "cache: dict[str, int] = {}",
        "seen = set()",
        "a, queue = 1, deque()",
        "queue = collections.deque(maxlen=3)",
        "names = [n for n in 'ab']",
        "by_id = defaultdict[str, list[int]](list)",
        "a = b = {}",
        "try:\n    import x\nexcept ImportError:\n    found = {1}",
        "_count = 0\ndef count():\n    global _count\n    _count += 1",
    ],
)
def test_the_checker_sees_mutable_state(source):
    assert len(mutable_state("engine.bus.bus", source)) == 1


@pytest.mark.parametrize(
    "source",
    [
        "__all__ = ['World']",
        "NAMES = ['a', 'b']",
        "_BY_NAME: dict[str, int] = {'a': 1}",
        "names = ('a', 'b')",
        "pattern = re.compile('a')",
        "def make():\n    made = []\n    return made",
        "class Bus:\n    def __init__(self):\n        self.queue = []",
    ],
)
def test_the_checker_allows_constants_and_local_data(source):
    assert mutable_state("engine.bus.bus", source) == []


def read(file: Path) -> str:
    return file.read_text(encoding="utf-8")


def room_of(module: str) -> str:
    """`bus` for engine.bus.bus, `lua` for engine.lua.state, `__init__` for engine itself."""
    _, room, *_ = [*module.split("."), "__init__"]
    return room


def wrong_imports(module: str, source: str) -> list[str]:
    """One line for each import of `module` that goes upwards or reaches past its border."""
    own = room_of(module)
    wrong = []
    for target, line, for_types in imports(module, ast.parse(source)):
        top = target.split(".")[0]
        if top in ONLY_IN and own != ONLY_IN[top]:
            wrong.append(f"{module}:{line}: only engine/{ONLY_IN[top]}/ imports {top}")
        elif top == "engine" and not for_types and height(target) > height(module):
            wrong.append(f"{module}:{line}: {target} does not stand below {own}")
    return wrong


def height(module: str) -> int:
    """The place of the module's room, counted from below; a room without a place is above all."""
    room = room_of(module)
    return ROOMS.index(room) if room in ROOMS else len(ROOMS)


def imports(module: str, tree: ast.AST, for_types: bool = False) -> Iterator[tuple[str, int, bool]]:
    """Everything imported, at any depth: absolute name, line, and whether only type checkers see it."""
    for node in ast.iter_child_nodes(tree):
        match node:
            case ast.Import(names=names):
                yield from ((alias.name, node.lineno, for_types) for alias in names)
            case ast.ImportFrom():
                yield from ((target, node.lineno, for_types) for target in from_targets(module, node))
            case ast.Call(args=[ast.Constant(value=str() as name), *_]) if is_import_call(node):
                yield name, node.lineno, for_types
            case ast.If() if is_type_checking(node.test):
                yield from imports(module, ast.Module(node.body, []), True)
                yield from imports(module, ast.Module(node.orelse, []), for_types)
                continue
        yield from imports(module, node, for_types)


def from_targets(module: str, node: ast.ImportFrom) -> set[str]:
    """What `from ... import ...` loads; a name taken from `engine` itself may be a room or a public name."""
    base = node.module or ""
    if node.level:
        base = ".".join(module.split(".")[: -node.level] + ([base] if base else []))
    if base != "engine":
        return {base}
    return {f"engine.{alias.name}" if alias.name in ROOMS else "engine" for alias in node.names}


def is_import_call(node: ast.Call) -> bool:
    return called(node) in {"import_module", "__import__"}


def is_type_checking(test: ast.expr) -> bool:
    return ast.unparse(test) in {"TYPE_CHECKING", "typing.TYPE_CHECKING"}


def mutable_state(module: str, source: str) -> list[str]:
    """One line for each name at module level that holds something which can change."""
    tree = ast.parse(source)
    wrong = [f"{module}:{line}: {name} is mutable" for name, line in mutable_names(tree)]
    for node in ast.walk(tree):
        if isinstance(node, ast.Global):
            wrong.append(f"{module}:{node.lineno}: global {', '.join(node.names)}")
    return wrong


def mutable_names(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Names outside functions and classes whose value is mutable, unless written as a constant."""
    for node in ast.iter_child_nodes(tree):
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef() | ast.Lambda():
                continue
            case ast.Assign(targets=targets, value=value) if holds_mutable(value):
                names = [ast.unparse(target) for target in targets]
            case ast.AnnAssign(target=target, value=ast.expr() as value) if holds_mutable(value):
                names = [ast.unparse(target)]
            case _:
                yield from mutable_names(node)
                continue
        if not all(CONSTANT.fullmatch(name) for name in names):
            yield " = ".join(names), node.lineno


def holds_mutable(value: ast.expr) -> bool:
    if isinstance(value, ast.Tuple):
        return any(holds_mutable(element) for element in value.elts)
    return isinstance(value, MUTABLE_LITERALS) or (isinstance(value, ast.Call) and called(value) in MUTABLE_CALLS)


def called(node: ast.Call) -> str:
    """The last name of what is called: `deque` for `collections.deque[int](...)`."""
    function = node.func.value if isinstance(node.func, ast.Subscript) else node.func
    return ast.unparse(function).split(".")[-1]
