"""What a game's Python says about its scripts, read without running it."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path

from engine.check.finding import Report, did_you_mean


def modules_named(files: Iterable[Path]) -> set[str]:
    """The host modules that Python makes or installs by name: `HostModule("scores")`, `world.install("http")`."""
    return {name.value for file in files for call, name in _calls(_tree(file)) if call in ("HostModule", "install")}


def check_setup(main: Path, scripts: set[str], report: Report) -> None:
    """Scripts that `setup(world)` spawns and that are not there."""
    for node in ast.walk(_tree(main)):
        if isinstance(node, ast.FunctionDef) and node.name == "setup" and node.args.args:
            world = node.args.args[0].arg
            for call, name in _calls(node):
                if call == f"{world}.spawn" and name.value not in scripts:
                    advice = did_you_mean(name.value, scripts, f"write scripts/{name.value}.lua")
                    message, width = f'there is no script "{name.value}"', len(name.value) + 2
                    report.add(name.lineno, name.col_offset + 1, "error", "script", message, advice, width)


class _Text(ast.Constant):
    value: str


def _calls(tree: ast.AST) -> Iterator[tuple[str, _Text]]:
    """Calls with a text first: the name, `world.install` also as its last part alone, and the text."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=called, args=[ast.Constant(value=str()) as first, *_]):
                match called:
                    case ast.Name(id=name):
                        yield name, first  # type: ignore[misc]
                    case ast.Attribute(value=ast.Name(id=owner), attr=name):
                        yield f"{owner}.{name}", first  # type: ignore[misc]
                        yield name, first  # type: ignore[misc]


def _tree(file: Path) -> ast.AST:
    """Nothing where it cannot be read."""
    try:
        return ast.parse(file.read_bytes())
    except (SyntaxError, ValueError, OSError):
        return ast.Module([], [])
