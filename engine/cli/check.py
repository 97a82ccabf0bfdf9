"""`tidelock check`."""

from __future__ import annotations

from pathlib import Path

from engine.check.check import check
from engine.check.finding import Finding
from engine.cli.console import as_json as print_json
from engine.cli.console import complain, findings_as_data, say, show_finding
from engine.host.module import HostModule
from engine.project import Project, ProjectError
from engine.scripts import Scripts


def check_game(folder: Path, *, as_json: bool, strict: bool, lua: str | None) -> int:
    """Show all findings; 1 where one of them counts, else 0."""
    project = Project(folder)
    broken = False
    own = lua or "lua55"
    modules: list[HostModule] = []
    assets = None
    try:
        game, modules = project.rehearsed()
        own, assets = lua or game.lua, game.window.get("assets")
    except ProjectError as error:
        broken = True
        complain(str(error))
    findings = check(project, own, modules, assets if isinstance(assets, Path) else None)
    if as_json:
        print_json(findings_as_data(findings))
    else:
        _show(findings, project)
    counts = [finding for finding in findings if strict or finding.level == "error"]
    return 1 if counts or broken else 0


def _show(findings: list[Finding], project: Project) -> None:
    for finding in findings:
        show_finding(finding, project.folder)
    scripts = len(Scripts(project.scripts).names())
    errors = sum(finding.level == "error" for finding in findings)
    warnings = len(findings) - errors
    if findings:
        say(f"{_count(errors, 'error')}, {_count(warnings, 'warning')} in {_count(scripts, 'script')}", "bold")
    else:
        say(f"{_count(scripts, 'script')}, no mistakes found", "green")


def _count(n: int, noun: str) -> str:
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"
