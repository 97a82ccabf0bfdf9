"""The manifests of mods, and what scripts of mods do that their manifest does not ask for."""

from __future__ import annotations

from collections.abc import Mapping

from engine.check.finding import Report
from engine.check.references import Belongings
from engine.errors import ScriptError
from engine.mods import DOES, LARGEST, MANIFEST, ManifestError, Mod, place_of, read_manifest
from engine.reading.scan import CallSite, Scan
from engine.reading.syntax import String
from engine.scripts import Scripts

_NAMED = {
    "bus.emit": (0, "sends"),
    "bus.send": (1, "sends"),
    "bus.request": (1, "sends"),
    "entity.spawn": (0, "spawns"),
    "shared.set": (0, "sets"),
    "require": (0, "modules"),
}
"""Which argument of a function needs which right."""


def check_mods(scripts: Scripts, scans: Mapping[str, Scan], own: Belongings, reports: dict[str, Report]) -> None:
    mods = {folder: _read(scripts, folder, reports) for folder in scripts.folders_with(MANIFEST)}
    for name, read in scans.items():
        governing = [folder for folder in mods if not folder or name.startswith(f"{folder}/")]
        mod = mods[max(governing, key=len)] if governing else None
        for site in read.calls if mod else ():
            if mod is not None:
                _check_call(site, mod, place_of(scripts.folder.name, mod.folder), own, reports[name])


def _read(scripts: Scripts, folder: str, reports: dict[str, Report]) -> Mod | None:
    place = place_of(scripts.folder.name, folder)
    report = reports[place] = Report(place)
    try:
        return read_manifest(folder, scripts.beside(folder, MANIFEST, LARGEST + 1) or b"")
    except ManifestError as error:
        report.add(error.line or 1, 1, "error", "manifest", str(error))
    except ScriptError as error:
        report.add(1, 1, "error", "manifest", error.message)
    return None


def _check_call(site: CallSite, mod: Mod, place: str, own: Belongings, report: Report) -> None:
    at, right = _NAMED.get(site.path, (0, ""))
    value = site.call.arguments[at] if right and len(site.call.arguments) > at else None
    if not isinstance(value, String) or mod.asks.cover(right, value.value):
        return
    if right == "modules" and value.value not in own.modules | own.offered:
        return  # a library
    said = f'the mod "{mod.name}" may not {DOES[right]} "{value.value}"'
    report.error(value, "mod", said, f'{place} needs {right} = ["{value.value}"]', width=len(value.value) + 2)
