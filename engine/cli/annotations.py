"""`tidelock annotations`."""

from __future__ import annotations

import json
from pathlib import Path

from engine.annotations.write import settings, texts, write
from engine.cli.console import say
from engine.host.module import HostModule
from engine.project import Project
from engine.scripts import Scripts


def annotate_game(folder: Path, *, only_check: bool, lua: str | None) -> int:
    """Write the files; or, only checking, 1 where they are not up to date."""
    project = Project(folder)
    game, modules = project.rehearsed()
    changed = update(project, lua or game.lua, modules, dry=only_check)
    for file in changed:
        say(file.relative_to(project.folder).as_posix())
    if not changed:
        say("the annotations are up to date", "green")
    elif only_check:
        say("these are not up to date; run `tidelock annotations`", "bold")
    return 1 if only_check and changed else 0


def update(project: Project, lua: str, modules: list[HostModule], *, dry: bool = False) -> list[Path]:
    """Bring .tidelock/ up to date, and make .luarc.json where there is none; returns what changed, or would."""
    luarc = project.folder / ".luarc.json"
    changed = [] if luarc.exists() else [luarc]
    if changed and not dry:
        luarc.write_text(json.dumps(settings(lua), indent=2) + "\n", encoding="utf-8", newline="\n")
    return changed + write(project.folder, texts(Scripts(project.scripts), modules, lua), dry=dry)
