"""Checks all scripts of a game."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.metadata import entry_points

from engine.annotations.game import is_script
from engine.annotations.registry import names, versions
from engine.check.compiling import Compilers
from engine.check.events import check_events, strings_of
from engine.check.finding import Finding, Report
from engine.check.hooks import check_hooks
from engine.check.names import check_names
from engine.check.references import Belongings, assets_of, check_references
from engine.errors import ScriptError
from engine.host.module import HostModule
from engine.modules import GROUP
from engine.project import Project
from engine.reading.lexer import LuaSyntaxError, ignored_lines
from engine.reading.scan import Scan, scan
from engine.reading.syntax import Call, Definition, Index, Name, Node, String, walk
from engine.scripts import Scripts, Source


def check(project: Project, lua: str = "lua55", modules: Sequence[HostModule] = ()) -> list[Finding]:
    """All mistakes in the scripts of a game that runs on `lua`, by script and line."""
    scripts = Scripts(project.scripts)
    reports: dict[str, Report] = {}
    scans: dict[str, Scan] = {}
    compilers = Compilers(versions())
    try:
        for name in scripts.names():
            reports[name] = Report(scripts.chunk(name))
            read = _read(scripts, name, compilers, lua, reports)
            if read is not None:
                scans[name] = read
    finally:
        compilers.close()
    _check_all(project, scripts, scans, reports, lua, modules)
    return sorted(finding for report in reports.values() for finding in report.findings)


def _read(scripts: Scripts, name: str, compilers: Compilers, lua: str, reports: dict[str, Report]) -> Scan | None:
    """The script, if it is Lua; whatever keeps it from being that is reported."""
    try:
        source = scripts.read(name)
    except ScriptError as error:
        reports[name].add(error.line or 1, 1, "error", "file", error.message)
        return None
    text = source.text.decode()
    reports[name] = Report(source.chunk, ignored_lines(text))
    if not compilers.check(source, lua, reports[name]):
        return None
    return _scan(source, text, reports[name])


def _scan(source: Source, text: str, report: Report) -> Scan | None:
    try:
        return scan(text)
    except LuaSyntaxError as error:
        message = f"this script compiles, but cannot be checked further: {error.message}"
        report.add(error.line, error.column, "warning", "unread", message)
        return None


def _check_all(
    project: Project,
    scripts: Scripts,
    scans: Mapping[str, Scan],
    reports: Mapping[str, Report],
    lua: str,
    modules: Sequence[HostModule],
) -> None:
    own = _belongings(project, scripts, modules)
    exports = _exports(scans, modules)
    required = {_script_name(wanted, own.scripts) for read in scans.values() for wanted in _required(read)}
    for name, read in scans.items():
        is_library = name in required or (not is_script(read) and name.rpartition("/")[2] != "main")
        check_names(read, names(lua), exports, reports[name])
        check_hooks(read, name.rpartition("/")[2], is_library=is_library, report=reports[name])
        check_references(read, own, reports[name])
    python = [path for path in project.folder.glob("*.py") if path.is_file()]
    check_events(scans, reports, strings_of(python) | _strings_of_tests(project))


def _belongings(project: Project, scripts: Scripts, modules: Sequence[HostModule]) -> Belongings:
    images, sounds = assets_of(project.assets)
    offered = {entry.name for entry in entry_points(group=GROUP)} | {"json", "http", "files"}
    return Belongings(set(scripts.names()), {module.name for module in modules}, offered, images, sounds)


def _required(read: Scan) -> list[str]:
    calls = (site.call.arguments[0] for site in read.calls if site.path == "require" and site.call.arguments)
    return [name.value for name in calls if isinstance(name, String)]


def _script_name(required: str, scripts: set[str]) -> str:
    path = required.replace(".", "/")
    return path if path in scripts else f"{path}/init"


def _exports(scans: Mapping[str, Scan], modules: Sequence[HostModule]) -> dict[str, set[str]]:
    """What libraries give, by the name one requires them by; left out where that cannot be told from the text."""
    found = {module.name: set(module.functions) for module in modules}
    for name, read in scans.items():
        if read.table is not None and not _is_dynamic(read):
            dotted = name.replace("/", ".")
            found[dotted.removesuffix(".init")] = found[dotted] = set(read.members)
    return found


def _is_dynamic(read: Scan) -> bool:
    """True where a library's table is filled by more than plain top-level definitions."""
    top = {id(node) for node in read.body}
    for node in walk(read.body):
        match node:
            case Call(arguments=arguments) if any(_is_table(argument, read) for argument in arguments):
                return True
            case Index(object=table, key=key) if _is_table(table, read) and not isinstance(key, String):
                return True
            case Definition(target=Index(object=table)) if _is_table(table, read) and id(node) not in top:
                return True
    return False


def _is_table(node: Node, read: Scan) -> bool:
    return isinstance(node, Name) and node.name == read.table


def _strings_of_tests(project: Project) -> set[str]:
    found: set[str] = set()
    for file in sorted(project.tests.glob("*.lua")) if project.tests.is_dir() else ():
        try:
            found |= {string.value for string in scan(file.read_text(encoding="utf-8")).strings}
        except (LuaSyntaxError, UnicodeDecodeError, OSError):
            continue
    return found | strings_of(project.tests.glob("*.py"))
