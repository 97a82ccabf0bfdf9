"""Checks all scripts of a game."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.metadata import entry_points
from pathlib import Path

from engine.annotations.game import is_script
from engine.annotations.registry import Entry, names, versions
from engine.annotations.stubs import test_names
from engine.check.arguments import check_arguments
from engine.check.compiling import Compilers
from engine.check.events import check_events, strings_of
from engine.check.fields import check_fields, keys_of
from engine.check.finding import Finding, Report
from engine.check.hooks import check_hooks
from engine.check.loading import check_loading
from engine.check.methods import check_methods
from engine.check.mods import check_mods
from engine.check.names import check_names
from engine.check.python import check_setup, modules_named
from engine.check.references import Belongings, assets_of, check_references
from engine.check.values import check_values
from engine.errors import ScriptError
from engine.host.module import HostModule
from engine.modules import GROUP
from engine.project import Project
from engine.reading.lexer import LuaSyntaxError, ignored_lines
from engine.reading.scan import Scan, scan
from engine.reading.syntax import Call, Definition, Index, Name, Node, String, walk
from engine.scripts import Scripts, Source, bare_text

STRAY = 'no script can have this name, so nobody can use it: letters, digits, "_" and "-", and ".lua" in small letters'


def check(
    project: Project, lua: str = "lua55", modules: Sequence[HostModule] = (), assets: Path | None = None
) -> list[Finding]:
    """All mistakes in the scripts of a game that runs on `lua`, by script and line.

    `assets` is its folder of images and sounds, where that is not `project.assets`.
    """
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
        for name in scripts.strays():
            reports[name] = Report(name)
            reports[name].add(1, 1, "warning", "file", STRAY, "rename it, or take it out of the folder")
        tests = _tests(project, compilers, lua, reports)
        reports["main.py"] = Report("main.py")
        check_setup(project.main, set(scripts.names()), reports["main.py"])
    finally:
        compilers.close()
    own = _belongings(project, scripts, modules, assets or project.assets)
    _check_all(project, own, scripts, scans, tests, reports, lua, modules)
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


def _tests(project: Project, compilers: Compilers, lua: str, reports: dict[str, Report]) -> dict[str, Scan]:
    """The tests in Lua that can be read, by file."""
    found = {}
    for file in sorted(project.tests.glob("*.lua")) if project.tests.is_dir() else ():
        if not file.is_file():
            continue
        name = f"{project.tests.name}/{file.name}"
        text = bare_text(file.read_bytes()).decode(errors="replace")
        report = reports[name] = Report(name, ignored_lines(text))
        source = Source(name, name, text.encode())
        read = _scan(source, text, report) if compilers.check(source, lua, report) else None
        if read is not None:
            found[name] = read
    return found


def _scan(source: Source, text: str, report: Report) -> Scan | None:
    try:
        return scan(text)
    except LuaSyntaxError as error:
        message = f"this script compiles, but cannot be checked further: {error.message}"
        report.add(error.line, error.column, "warning", "unread", message)
        return None
    except RecursionError:
        report.add(1, 1, "warning", "unread", "this script is nested too deeply to be checked further")
        return None


def _check_all(
    project: Project,
    own: Belongings,
    scripts: Scripts,
    scans: Mapping[str, Scan],
    tests: Mapping[str, Scan],
    reports: dict[str, Report],
    lua: str,
    modules: Sequence[HostModule],
) -> None:
    for name in sorted(name for name in own.modules if name.replace(".", "/") in own.scripts):
        message = f'the host module "{name}" has the name of this script, so nobody gets it'
        reports[name.replace(".", "/")].add(1, 1, "warning", "require", message, "rename one of them")
    spoken = strings_of([*project.folder.glob("*.py"), *project.tests.glob("*.py")])
    spoken |= {string.value for read in tests.values() for string in read.strings}
    exports = _exports(scans, modules)
    given = spoken | keys_of([*scans.values(), *tests.values()])
    required = {_script_name(wanted, own.scripts) for read in scans.values() for wanted in _required(read)}
    for name, read in scans.items():
        is_library = name in required or (not is_script(read) and name.rpartition("/")[2] != "main")
        check_names(read, names(lua), exports, reports[name])
        own_name, is_required = name.rpartition("/")[2], name in required
        check_hooks(read, own_name, is_library=is_library, is_required=is_required, report=reports[name])
        check_loading(name, scans, reports[name])
        check_arguments(read, reports[name])
        check_methods(read, reports[name])
        check_fields(read, given, reports[name])
        check_values(read, scans, spoken, reports[name])
        check_references(read, own, reports[name])
    check_mods(scripts, scans, own, reports)
    known = {**names(lua), **{name: Entry("function", -1) for name in test_names()}, "sim": Entry("table", 0)}
    for name, read in tests.items():
        check_names(read, known, exports, reports[name])
        check_hooks(read, name, is_library=True, is_required=False, report=reports[name])
        check_arguments(read, reports[name])
        check_values(read, scans, spoken, reports[name])
        check_references(read, own, reports[name])
    check_events(scans, reports, spoken)


def _belongings(project: Project, scripts: Scripts, modules: Sequence[HostModule], assets: Path) -> Belongings:
    images, sounds = assets_of(assets)
    offered = {entry.name for entry in entry_points(group=GROUP)} | {"json", "http", "files"}
    named = {module.name for module in modules} | modules_named(project.folder.glob("*.py"))
    return Belongings(set(scripts.names()), named, offered, images, sounds)


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
