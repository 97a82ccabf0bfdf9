"""The texts that run: for each script its own and those of the libraries it required, version by version.

A text is read once per version, so that a half-written file never starts and every entity of a script runs the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from engine.errors import EngineError, ScriptError
from engine.hooks import is_called
from engine.scripts import Scripts, Source

_SENDING = re.compile(rb"\b(?:emit|send|request)\b")

KEPT = 10
"""Versions of a script that can be run again, the running one included."""

MOST_SEEN = 1_000
"""Files that a version may ask for, in vain too."""

MOST_HINTS = 10
"""Missing libraries for which a version is told what is near: all names of the folder are looked at for each."""

LONGEST_TEXT = 64 * 1024
"""Bytes of a script that are looked through for what it calls."""


@dataclass(slots=True, eq=False)
class Version:
    """One version of a script. `seen` is what the disk said of every file asked for, `None` for one not there.

    `hints` are what it was told of libraries that there are not.
    """

    script: str
    number: int
    texts: dict[str, Source] = field(default_factory=dict)
    seen: dict[str, bytes | None] = field(default_factory=dict)
    hints: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class History:
    """The versions of one script; `tried` is the newest that was refused, until another one is good."""

    running: Version
    past: dict[int, Version] = field(default_factory=dict)
    tried: Version | None = None
    last: int = 1

    def seen(self) -> dict[str, bytes | None]:
        return self.running.seen if self.tried is None else {**self.running.seen, **self.tried.seen}


class Sources:
    """The versions of every script that was asked for."""

    def __init__(self, scripts: Scripts) -> None:
        self._scripts = scripts
        self._known: dict[str, History] = {}
        self._forgotten: dict[str, int] = {}  # script that nobody uses -> number of its last version

    def running(self, script: str) -> Version:
        """The version that new entities of a script get."""
        known = self._known.get(script)
        if known is None:
            number = self._forgotten.pop(script, 0) + 1
            known = self._known[script] = History(Version(script, number), last=number)
        return known.running

    def source(self, version: Version) -> Source:
        """The script's own text; `ScriptError` tells why there is none."""
        return version.texts.get(version.script) or self._read(version, version.script)

    def glance(self, script: str) -> Source | None:
        """A guess at what the next entity gets, from any thread: what runs, or what the disk says; it is not kept."""
        known = self._known.get(script)
        try:
            return (known and known.running.texts.get(script)) or self._scripts.read(script)
        except ScriptError:
            return None

    def library(self, version: Version, name: str) -> Source:
        """The text of a library that the script, or a library of it, requires."""
        key = name.replace(".", "/")
        for known in (key, f"{key}/init"):
            if known in version.texts and known != version.script:
                return version.texts[known]
        if key not in version.seen and len(version.seen) >= MOST_SEEN:
            raise ScriptError(f"require: {version.script} asked for {MOST_SEEN} libraries, and gets no others")
        version.seen[key] = version.seen[f"{key}/init"] = None
        source = self._scripts.library(name)
        if source is None:
            if name not in version.hints and len(version.hints) < MOST_HINTS:
                version.hints[name] = self._scripts.library_hint(name)
            raise ScriptError(f'require: there is no library or host module "{name}"{version.hints.get(name, "")}')
        if source.name == key:
            del version.seen[f"{key}/init"]  # would not be used if it were there
        version.texts[source.name] = source
        version.seen[source.name] = source.text
        return source

    def supply(self, script: str, *texts: Source) -> None:
        """Use these texts for `script` and for libraries that it requires, instead of files of the folder."""
        self.running(script).texts.update({text.name: text for text in texts})

    def chunk(self, script: str) -> str:
        return self._scripts.chunk(script)

    def check(self, script: str) -> None:
        """`ScriptNotFound`, with the nearest name, where there is no such script."""
        if script not in self._known:
            self._scripts.find(script)

    def calls(self, script: str, name: str) -> bool:
        """Whether the running version of `script` calls its function `name`; what is too long to look may do so."""
        known = self._known.get(script)
        source = known.running.texts.get(script) if known else None
        if source is None or len(source.text) > LONGEST_TEXT:
            return source is not None
        return is_called(name, source.text.decode(errors="replace"))

    def line(self, script: str, chunk: str, line: int, version: Version | None = None) -> str:
        """A line of a file as it is in the running version of `script`, or in another one; "" where it is unknown."""
        for source in self._texts(script, version):
            if source.chunk == chunk:
                rows = source.rows()
                return rows[line - 1].rstrip() if 0 < line <= len(rows) else ""
        return ""

    def whole(self, script: str, chunk: str, version: Version | None = None) -> str:
        """A chunk of that version by its whole name: Lua says "...far/away/door.lua" of one that is long."""
        if not chunk.startswith("..."):
            return chunk
        long = (source.chunk for source in self._texts(script, version) if source.chunk.endswith(chunk[3:]))
        return next(long, chunk)

    def _texts(self, script: str, version: Version | None = None) -> Iterable[Source]:
        known = self._known.get(script)
        version = version or (known.running if known else None)
        return version.texts.values() if version else ()

    def places(self, script: str, pattern: str) -> list[str]:
        """ "scripts/door.lua:12": the lines of the running version of `script` in which `pattern` is found."""
        return [
            f"{source.chunk}:{number}"
            for source in self._texts(script)
            for number, row in enumerate(source.rows(), 1)
            if re.search(pattern, row.partition("--")[0])
        ]

    def sends(self, script: str, event: bytes) -> list[tuple[str, int]]:
        """Chunks and lines where the running version of `script` sends an event of that name, or may do so.

        Those that name it; where none does, because the name is put together, all that send.
        """
        quoted = b'"' + event + b'"', b"'" + event + b"'"
        calls = [
            (source.chunk, number, row[found.end() :])
            for source in self._texts(script)
            for number, row in enumerate(source.text.splitlines(), 1)
            if (found := _SENDING.search(row))
        ]
        named = [(chunk, number) for chunk, number, rest in calls if any(name in rest for name in quoted)]
        return named or [(chunk, number) for chunk, number, _ in calls]

    # Reloads.

    def users(self, name: str) -> list[str]:
        """The scripts that use script or library `name`, or asked for it in vain; sorted."""
        return sorted(script for script, known in self._known.items() if name == script or name in known.seen())

    def below(self, folder: str) -> list[str]:
        """The scripts in use in a folder, or below it; sorted."""
        return sorted(script for script in self._known if not folder or script.startswith(f"{folder}/"))

    def changed(self, script: str, name: str) -> bool:
        """True when the file `name`, which `script` uses, says something else than when `script` last read it."""
        known = self._known.get(script)
        if known is None or name not in known.seen():
            return True
        return self._now(name) != known.seen()[name]

    def next(self, script: str) -> Version:
        """A version to be tried, with the texts that are on the disk now."""
        self.running(script)
        return Version(script, self._known[script].last + 1)

    def earlier(self, script: str, number: int) -> Version:
        """A version that ran before; `EngineError` names those there are."""
        versions = self.versions(script)
        if number not in versions:
            there = ", ".join(map(str, versions)) or "none"
            raise EngineError(f"there is no version {number} of {script} to go back to; there are: {there}")
        known = self._known[script]
        return known.running if known.running.number == number else known.past[number]

    def versions(self, script: str) -> list[int]:
        """The numbers of the versions that can be run again, the running one included, ascending."""
        known = self._known.get(script)
        return sorted({*known.past, known.running.number}) if known else []

    def keep(self, version: Version, *, replaced_is_good: bool = True) -> None:
        """`version` runs from now on. What is on the disk is not tried again until it changes."""
        known = self._known[version.script]
        replaced, known.running = known.running, version
        going_back = version.number <= known.last
        known.tried = (known.tried or replaced) if going_back else None
        known.last = max(known.last, version.number)
        if replaced_is_good:
            known.past[replaced.number] = replaced
        known.past.pop(version.number, None)
        for number in sorted(known.past)[: max(0, len(known.past) - KEPT + 1)]:
            del known.past[number]

    def refuse(self, version: Version) -> None:
        """`version` could not start; it is not tried again until one of its files changes."""
        known = self._known.get(version.script)
        if known is not None and version is not known.running:
            known.tried = version

    def forget(self, script: str) -> None:
        """Read the script anew when it is next needed."""
        known = self._known.pop(script, None)
        if known is not None:
            self._forgotten[script] = known.last

    def _read(self, version: Version, name: str) -> Source:
        version.seen[name] = None
        source = self._scripts.read(name)
        version.texts[name] = source
        version.seen[name] = source.text
        return source

    def _now(self, name: str) -> bytes | None:
        try:
            return self._scripts.read(name).text
        except ScriptError:
            return None
