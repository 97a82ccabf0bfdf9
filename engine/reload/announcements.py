"""Tells of a reload that went well: those who listen, the log, and which properties it left behind."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.reload.attempt import Attempt

if TYPE_CHECKING:
    from engine.world import World

_log = logging.getLogger("tidelock")


@dataclass(frozen=True, slots=True)
class Reload:
    """One reload that went well: the script, the number of its new version, how many entities, how long it took.

    `seconds` counts from when the save was noticed, or from when the game asked, until the new version was live.
    """

    script: str
    version: int
    entities: int
    seconds: float

    def __str__(self) -> str:
        return f"{self.script}.lua reloaded (v{self.version}) {self.seconds * 1000:.0f} ms"


class Announcements:
    """Those of one world."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._listeners: list[Callable[[Reload], object]] = []
        self._dropped: dict[str, int] = {}

    def listen(self, listener: Callable[[Reload], object]) -> None:
        self._listeners.append(listener)

    def begin(self) -> None:
        """A swap begins: what is `dropped` from here on is of its entities."""
        self._dropped.clear()

    def dropped(self, property: str) -> None:
        """An entity of the version that starts had a property that there is no more."""
        self._dropped[property] = self._dropped.get(property, 0) + 1

    def live(self, attempt: Attempt) -> None:
        """The version runs. What a listener raises leaves the tick when the frame is over."""
        world, script = self._world, attempt.script
        for name, count in self._dropped.items():
            words = f'the property "{name}" is gone: dropped from {count} {"entity" if count == 1 else "entities"}'
            world.log.say("info", words, 0, world.population.sources.chunk(script), 0)
        seconds = time.perf_counter() - attempt.asked
        reload = Reload(script, attempt.version.number, len(attempt.entities()), seconds)
        _log.info("%s", reload, extra={"reload": reload})
        for listener in list(self._listeners):
            try:
                listener(reload)
            except Exception as error:
                world.failures.fail(error)

    def close(self) -> None:
        self._listeners.clear()
