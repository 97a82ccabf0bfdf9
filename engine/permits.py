"""Which mod each script belongs to, and what that mod is held to.

The nearest `mod.toml` above a script governs it. A script without one is trusted, unless the game says that scripts of
its name are mods.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from itertools import count
from typing import TYPE_CHECKING, Any, NamedTuple

from engine.errors import EngineError, ScriptError
from engine.mods import DOES, LARGEST, MANIFEST, ManifestError, Mod, Rights, place_of, read_manifest
from engine.origins import origin
from engine.scripts import Scripts

if TYPE_CHECKING:
    from engine.world import World

Grant = Callable[[Mod], Rights | None]


@dataclass(frozen=True, slots=True)
class Permit:
    """What the scripts of one mod are held to. `file` is its manifest, `why` what keeps that from being used."""

    folder: str
    file: str
    granted: Rights = field(default_factory=Rights)
    mod: Mod | None = None
    why: str = ""

    @property
    def name(self) -> str:
        return self.mod.name if self.mod else self.folder.rpartition("/")[2] or "scripts"

    def may_ask(self, scheme: str, host: str, port: int) -> bool:
        """True where "http" may go there."""
        return self.granted.allows_origin(scheme, host, port)

    def refusal(self, right: str, value: str, does: str = "") -> str:
        """Why the mod may not do something with `value`, and what would change that."""
        said = f'the mod "{self.name}" may not {does or DOES[right]} "{value}"'
        line = f'{right} = ["{value}"]'
        if self.mod is None:
            return f"{said}: {self.why.format(line=line)} ({self.file})"
        asked = self.mod.asks.cover(right, value) if right != "hosts" else _asks_host(self.mod.asks, value)
        if asked:
            return f"{said}: its mod.toml asks for it, but the game does not grant it ({self.file})"
        return f"{said}; its mod.toml needs {line} ({self.file})"

    def check_destroy(self, id: int, script: str, other: Permit | None) -> None:
        """`EngineError` where the mod may not end entity `id`, whose script is under the permit `other`."""
        if (other is None or other.folder != self.folder) and not self.granted.cover("spawns", script):
            raise EngineError(self.refusal("spawns", script, f"destroy entity {id}, a"))

    def held(self) -> tuple[bytes, ...]:
        """What a state needs to know: `sends`, `spawns` and `sets`, one entry on a line."""
        return tuple("\n".join(getattr(self.granted, right)).encode() for right in ("sends", "spawns", "sets"))


class _Rule(NamedTuple):
    """Scripts of these names are mods, and `grant` says what they may do."""

    names: str
    grant: Grant | None
    number: int


class Permits:
    """The permits of one world."""

    def __init__(self, world: World, scripts: Scripts) -> None:
        self._world: World = weakref.proxy(world)
        self._scripts = scripts
        self._rules: list[_Rule] = []  # the newest first
        self._numbers = count(1)
        self._known: dict[str, Permit | None] = {}
        self._decided: dict[tuple[str, int], tuple[bytes, Permit]] = {}  # folder, rule -> a text and the answer

    def designate(self, names: str, grant: Grant | None) -> list[Mod]:
        """Scripts of that name or pattern are mods; `grant` decides what they may do. Gives those there are."""
        if grant is not None and not callable(grant):
            raise EngineError(f"mods: grant must be a function of a mod, got {grant!r}")
        self._rules = [_Rule(names, grant, next(self._numbers)), *(rule for rule in self._rules if rule.names != names)]
        self._known.clear()
        self._world.bounds.forget()
        found = (self._look(folder) for folder in self._scripts.folders_with(MANIFEST) if _covers(names, folder))
        return [mod for mod in found if mod is not None]

    def of(self, script: str) -> Permit | None:
        """What `script` is held to; None for a script that is trusted."""
        if script not in self._known:
            self._known[script] = self._find(script)
        return self._known[script]

    def forget(self, script: str) -> None:
        """Look at the manifests anew when the script is next started."""
        self._known.pop(script, None)
        self._world.bounds.forget()

    def changed(self, script: str) -> bool:
        """True where the manifests on the disk say something else of `script` than when it started, and can be used."""
        before = self._known.get(script)
        self.forget(script)
        after = self.of(script)
        return after != before and not (after and after.mod is None and after.why == _MISTAKE)

    def close(self) -> None:
        """Ask nobody any more: a game's function may hold the world."""
        self._rules.clear()
        self._known.clear()

    def _find(self, script: str) -> Permit | None:
        rule = next((rule for rule in self._rules if _matches(script, rule.names)), None)
        folders = script.split("/")[:-1]
        for depth in range(len(folders), -1, -1):
            folder = "/".join(folders[:depth])
            try:
                raw = self._scripts.beside(folder, MANIFEST, LARGEST + 1)
            except ScriptError as error:
                return self._broken(folder, ManifestError(error.message))
            if raw is not None:
                return self._decide(folder, raw, rule)
        folder = "/".join(folders)
        return None if rule is None else Permit(folder, self._place(folder), why=_MISSING)

    def _decide(self, folder: str, raw: bytes, rule: _Rule | None) -> Permit:
        """The permit under a manifest. The game is asked once for each text of it."""
        key = folder, rule.number if rule else 0
        before = self._decided.get(key)
        if before is not None and before[0] == raw:
            return before[1]
        self._world.failures.mend_file(self._place(folder))
        try:
            mod = read_manifest(folder, raw)
        except ManifestError as error:
            permit = self._broken(folder, error)
        else:
            permit = Permit(folder, self._place(folder), self._ask(rule.grant if rule else None, mod), mod)
        self._decided[key] = raw, permit
        return permit

    def _look(self, folder: str) -> Mod | None:
        """What the manifest of a folder says, without asking for anything."""
        try:
            return read_manifest(folder, self._scripts.beside(folder, MANIFEST, LARGEST + 1) or b"")
        except ManifestError as error:
            self._broken(folder, error)
        except ScriptError as error:
            self._broken(folder, ManifestError(error.message))
        return None

    def _broken(self, folder: str, error: ManifestError) -> Permit:
        file = self._place(folder)
        outcome = "what starts now of this mod may do nothing; saving the manifest tries again"
        self._world.failures.problem(str(error), script=file, line=error.line, outcome=outcome)
        return Permit(folder, file, why=_MISTAKE)

    def _ask(self, grant: Grant | None, mod: Mod) -> Rights:
        """What the game grants; what it does wrong meanwhile is raised out of the tick, and grants nothing."""
        if grant is None:
            return Rights()
        try:
            granted: Any = grant(mod)
            if granted is not None and not isinstance(granted, Rights):
                raise EngineError(f"mods: grant must return Rights, or None for nothing, got {granted!r}")
        except Exception as error:
            self._world.failures.fail(error)
            return Rights()
        return granted or Rights()

    def _place(self, folder: str) -> str:
        return place_of(self._scripts.folder.name, folder)


_MISSING = "mods need a mod.toml; write one with name, version and {line}"
_MISTAKE = "its mod.toml has a mistake"


def _matches(script: str, names: str) -> bool:
    # Where the disk ignores case, so would a script that is spawned as "Mods/evil".
    return fnmatchcase(script.casefold(), names.casefold())


def _covers(names: str, folder: str) -> bool:
    """True where scripts in the folder may have such a name."""
    return _matches(folder, names) or _matches(f"{folder}/x", names)


def _asks_host(asks: Rights, value: str) -> bool:
    try:
        return asks.allows_origin(*origin(value))
    except EngineError:
        return False
