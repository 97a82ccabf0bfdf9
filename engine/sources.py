"""The texts that run: for each script its own and those of the libraries it required.

A text is read once and stays until a reload of that script goes well, so that a half-written file never starts.
"""

from __future__ import annotations

from engine.errors import ScriptError
from engine.scripts import Scripts, Source


class Sources:
    """The good texts of every script in use, and those on trial during a reload."""

    def __init__(self, scripts: Scripts) -> None:
        self._scripts = scripts
        self._good: dict[str, dict[str, Source]] = {}
        self._trials: dict[str, dict[str, Source]] = {}

    def script(self, script: str) -> Source:
        """The text of a script; `ScriptError` tells why there is none."""
        texts = self._texts(script)
        if script not in texts:
            texts[script] = self._scripts.read(script)
        return texts[script]

    def chunk(self, script: str) -> str:
        return self._scripts.chunk(script)

    def check(self, script: str) -> None:
        """`ScriptNotFound`, with the nearest name, where there is no such script."""
        if script not in self._good:
            self._scripts.find(script)

    def library(self, script: str, name: str) -> Source:
        """The text of a library that `script` requires."""
        texts = self._texts(script)
        key = name.replace(".", "/")
        for known in (key, f"{key}/init"):
            if known in texts and known != script:
                return texts[known]
        source = self._scripts.library(name)
        if source is None:
            raise ScriptError(f"require: there is no library or host module {name!r}")
        texts[source.name] = source
        return source

    def users(self, name: str) -> list[str]:
        """The scripts that use script or library `name`, sorted."""
        return sorted(script for script, texts in self._good.items() if name == script or name in texts)

    def changed(self, script: str) -> bool:
        """True when a file that `script` uses no longer says what runs."""
        for name, source in self._good.get(script, {}).items():
            try:
                if self._scripts.read(name).text != source.text:
                    return True
            except ScriptError:
                return True
        return script not in self._good

    def begin_trial(self, script: str) -> None:
        """Read all texts of `script` anew until `keep` or `discard`."""
        self._trials[script] = {}

    def keep(self, script: str) -> None:
        self._good[script] = self._trials.pop(script)

    def discard(self, script: str) -> None:
        self._trials.pop(script, None)

    def forget(self, script: str) -> None:
        """Read the script anew when it is next needed."""
        self._good.pop(script, None)

    def _texts(self, script: str) -> dict[str, Source]:
        if script in self._trials:
            return self._trials[script]
        return self._good.setdefault(script, {})
