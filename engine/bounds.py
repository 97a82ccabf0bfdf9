"""Which limits hold for which scripts."""

from __future__ import annotations

from fnmatch import fnmatchcase

from engine.limits import Limits, limits_for
from engine.lua.actor import Terms
from engine.process.children import Children


class Bounds:
    """The limits of one world: `given` for all scripts, and others for those of some names or patterns."""

    def __init__(self, lua: str, given: Limits | None, children: Children) -> None:
        self._lua = lua
        self._given = given
        self._children = children
        self._usual: Limits | None = None  # of scripts for which nothing was said, in no process
        self._rules: list[tuple[str, Limits]] = []  # newest first
        self._known: dict[str, Limits] = {}  # by script
        self.terms: dict[str, Terms] = {}  # what states are made under, as far as `States` has looked

    def set(self, scripts: str, limits: Limits) -> None:
        """Other limits for these scripts; `LimitError` where they cannot be held."""
        limits_for(self._lua, limits, process=self._children.isolation(scripts) == "process")
        self._rules.insert(0, (scripts, limits))
        self.forget()

    def forget(self) -> None:
        """Something else was said of limits, of who lives in a process, or of mods."""
        self._known.clear()
        self.terms.clear()

    def of(self, script: str) -> Limits:
        """The limits of the states of `script`."""
        known = self._known.get(script)
        if known is None:
            known = self._known[script] = self._find(script)
        return known

    def _find(self, script: str) -> Limits:
        limits = self._given
        for names, others in self._rules:
            if fnmatchcase(script, names):
                limits = others
                break
        process = self._children.isolation(script) == "process"
        if process:
            return limits_for(self._lua, limits, process=True)
        if limits is None:
            self._usual = self._usual or limits_for(self._lua, None)
            return self._usual
        return limits.but(instructions=None, seconds=None, memory=None) if self._lua == "luajit21" else limits
