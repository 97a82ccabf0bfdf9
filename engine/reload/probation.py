"""Watches new versions for their first seconds: one that fails again and again is taken back.

A version is given up when a callback of it fails `Limits.errors` times in a row. It is replaced by the last version
that did not end so. What that one does is its own: it is not taken back again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.entity import Entity
from engine.sources import Version

if TYPE_CHECKING:
    from engine.world import World

SECONDS = 5.0
"""Of the world's real clock."""


@dataclass(frozen=True, slots=True)
class New:
    """A version on probation, until when, and the number of the one to go back to; whether it came in one frame."""

    number: int
    until: float
    good: int | None
    whole: bool


@dataclass(frozen=True, slots=True)
class Verdict:
    """A version was given up: why, by which entity, and what comes back."""

    what: str
    entity: int
    bad: int
    good: int
    whole: bool


class Probation:
    """The new versions of a world."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._new: dict[str, New] = {}
        self._bad: dict[str, set[int]] = {}
        self.due: dict[str, Verdict] = {}  # what is to be taken back
        self._going: dict[str, Verdict] = {}

    def begin(self, script: str, version: int, replaced: int, *, whole: bool) -> None:
        """A new version is live."""
        before = self._new.get(script)
        bad = self._bad.setdefault(script, set())
        bad.discard(version)
        good = before.good if before is not None and replaced in bad else replaced
        until = self._world.loop.real.now + SECONDS
        self._new[script] = New(version, until, None if good in bad else good, whole)
        self.due.pop(script, None)

    def gave_up(self, entity: Entity, what: str) -> bool:
        """Something failed too often in an entity; True where its script goes back to a good version for that."""
        bad = self._bad.setdefault(entity.script, set())
        bad.add(entity.version)
        if entity.script in self.due or entity.script in self._going:
            return True
        new = self._new.get(entity.script)
        if new is None or new.number != entity.version or new.good is None or self._world.loop.real.now > new.until:
            return False
        if new.good in bad or new.good not in self._world.population.sources.versions(entity.script):
            return False
        self.due[entity.script] = Verdict(what, entity.id, new.number, new.good, new.whole)
        return True

    def take(self) -> list[tuple[Version, bool]]:
        """The good versions that are to run again, and whether each takes over in one frame, as the bad one did."""
        self._going.update(self.due)
        due, self.due = self.due, {}
        sources = self._world.population.sources
        return [(sources.earlier(script, verdict.good), verdict.whole) for script, verdict in due.items()]

    def went_back(self, script: str) -> None:
        """The good version runs again."""
        verdict = self._going.pop(script)
        del self._new[script]
        self._world.failures.problem(
            f"{verdict.what}: version {verdict.bad} was taken back, version {verdict.good} runs again",
            entity=verdict.entity,
            script=self._world.population.sources.chunk(script),
            outcome=f"old version running again (v{verdict.good})",
        )

    def stuck(self, script: str) -> None:
        """The good version could not take over: the new one goes on, what was paused in it stays so."""
        verdict = self._going.pop(script)
        self._world.failures.problem(
            f"{verdict.what} and is paused until its script reloads; version {verdict.good} could not take over",
            entity=verdict.entity,
            script=self._world.population.sources.chunk(script),
        )

    def forget(self, script: str) -> None:
        """Another version is on its way."""
        self._going.pop(script, None)
