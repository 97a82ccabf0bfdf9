"""Names of other things of the game: scripts, libraries, images, sounds."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from engine.check.finding import Report, did_you_mean
from engine.reading.scan import CallSite, Scan
from engine.reading.syntax import Assignment, Index, Name, Node, Number, String, Table, walk

_IMAGES = (".png",)
_SOUNDS = (".wav", ".ogg")


@dataclass(slots=True)
class Belongings:
    """What a game has, by name."""

    scripts: set[str]
    modules: set[str]
    offered: set[str] = field(default_factory=set)
    images: set[str] | None = None
    sounds: set[str] | None = None


def assets_of(folder: Path) -> tuple[set[str] | None, set[str] | None]:
    """The names of the images and of the sounds; None where there is no folder to look into."""
    if not folder.is_dir():
        return None, None
    files = [path for path in folder.rglob("*") if path.is_file()]

    def names(endings: tuple[str, ...]) -> set[str]:
        found = [path for path in files if path.suffix.lower() in endings]
        return {path.relative_to(folder).with_suffix("").as_posix() for path in found}

    return names(_IMAGES), names(_SOUNDS)


def check_references(script: Scan, own: Belongings, report: Report) -> None:
    for site in script.calls:
        _check_call(site, own, report)
    properties = script.members.get("properties")
    if properties is not None and isinstance(properties.value, Table):
        for entry in properties.value.entries:
            if isinstance(entry.key, String) and entry.key.value == "sprite":
                _check_image(entry.value, own, report)
    for node in walk(script.body):
        match node:
            case Assignment(targets=[Index(object=Name(name="self"), key=String(value="sprite"))], values=[value]):
                _check_image(value, own, report)


def _check_call(site: CallSite, own: Belongings, report: Report) -> None:
    first = site.call.arguments[0] if site.call.arguments else None
    if not isinstance(first, String):
        if site.path == "entity.spawn" and isinstance(first, Number | Table):
            report.error(first, "script", "entity.spawn needs the name of a script", 'as in entity.spawn("door")')
        return
    width = len(first.value) + 2
    if site.path == "entity.spawn" and first.value not in own.scripts:
        advice = did_you_mean(first.value, own.scripts, f"write scripts/{first.value}.lua")
        report.error(first, "script", f'there is no script "{first.value}"', advice, width=width)
    elif site.path == "require":
        _check_require(first, own, report, width)
    elif site.path in ("sound.play", "sound.loop") and own.sounds is not None and first.value not in own.sounds:
        advice = did_you_mean(first.value, own.sounds, "put a .wav or .ogg of that name into assets/")
        report.error(first, "asset", f'there is no sound "{first.value}" in assets/', advice, width=width)
    elif site.path in ("sprite.play", "draw.image"):
        _check_image(first, own, report)


def _check_require(name: String, own: Belongings, report: Report, width: int) -> None:
    path = name.value.replace(".", "/")
    if path in own.scripts or f"{path}/init" in own.scripts or name.value in own.modules:
        return
    if name.value in own.offered:
        advice = f'install it in main.py: world.install("{name.value}")'
    else:
        known = {script.replace("/", ".") for script in own.scripts} | own.modules
        advice = did_you_mean(name.value, known, f"write scripts/{path}.lua, or install a host module of that name")
    report.error(name, "require", f'there is no library or host module "{name.value}"', advice, width=width)


def _check_image(value: Node, own: Belongings, report: Report) -> None:
    if isinstance(value, String) and own.images is not None and value.value not in own.images:
        ending = Path(value.value).suffix.lower()
        advice = "leave the ending away" if ending in _IMAGES else did_you_mean(
            value.value, own.images, "put a .png of that name into assets/"
        )  # fmt: skip
        width = len(value.value) + 2
        report.error(value, "asset", f'there is no image "{value.value}" in assets/', advice, width=width)
