"""`tidelock new`."""

from __future__ import annotations

import os
import shlex
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

from engine.cli.annotations import update
from engine.cli.console import say
from engine.project import Project, ProjectError

_TITLE = b"TITLE"
_TEXTS = (".py", ".md")


def make_game(name: str) -> None:
    """Copy the template into a new folder, with annotations for editors."""
    if not name.strip():
        raise ProjectError("the game needs a name, as in `tidelock new moonlit`")
    folder = Path(name)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ProjectError(f"{name} exists already and is not empty; choose another name")
    title = folder.absolute().name
    if not title.isprintable() or '"' in title or "\\" in title:
        raise ProjectError(f"{title!r} cannot be the name of a game; use letters, digits, spaces and dashes")
    folder.mkdir(parents=True, exist_ok=True)
    _copy(resources.files("engine.cli") / "template", folder, title.encode())
    update(Project(folder), "lua55", [])
    _tell(name)


def _copy(source: Traversable, target: Path, title: bytes) -> None:
    for entry in source.iterdir():
        if entry.name == "__pycache__":
            continue
        copy = target / entry.name.replace("dot_", ".", 1) if entry.name.startswith("dot_") else target / entry.name
        if entry.is_dir():
            copy.mkdir(exist_ok=True)
            _copy(entry, copy, title)
        else:
            content = entry.read_bytes()
            copy.write_bytes(content.replace(_TITLE, title) if copy.suffix in _TEXTS else content)


def _quoted(name: str) -> str:
    """As a shell takes it."""
    if os.name == "nt":
        return f'"{name}"' if " " in name else name
    return shlex.quote(name if not name.startswith("-") else f"./{name}")


def _tell(name: str) -> None:
    say(f"A small game is in {name}/.", "bold")
    for command, meaning in (
        (f"cd {_quoted(name)}", ""),
        ("tidelock run", "play it; walk with the arrow keys"),
        ("", "then change SPEED in scripts/hero.lua and save"),
        ("tidelock check", "find mistakes without playing"),
        ("tidelock test", "run tests/lantern.lua"),
    ):
        say(f"  {command:<16} {meaning}".rstrip())
