"""Script errors as a game shows them: grouped by place, counted, until the script is mended."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

from engine.report import plain, shown

_log = logging.getLogger("tidelock")


@dataclass(slots=True)
class Problem:
    """One script error. `entity` is the one it happened to last, `count` how often it happened so far.

    `source` is the line that failed, as it was, `outcome` what became of the entity; both may be "".
    """

    message: str
    script: str | None
    line: int | None
    entity: int | None
    traceback: str
    count: int
    first_frame: int
    last_frame: int
    source: str = ""
    outcome: str = ""

    @property
    def place(self) -> str:
        """ "scripts/door.lua:12", or as much of it as is known."""
        if self.script is None:
            return "engine"
        return self.script if self.line is None else f"{self.script}:{self.line}"

    def __str__(self) -> str:
        return f"{self.place}: {self.message}"


MOST_PLACES = 1_000
LONGEST = 2_000
"""Letters of a message."""


class Problems:
    """The problems of one world. A problem is new when its place is.

    Listeners and the log hear of new ones only, and of each save that fails. What a listener raises goes to `fail`: a
    problem is told in the middle of a frame.
    """

    def __init__(self, fail: Callable[[Exception], object]) -> None:
        self._fail = fail
        self._by_place: dict[tuple[object, ...], Problem] = {}
        self._saves: dict[tuple[object, ...], object] = {}
        self._listeners: list[Callable[[Problem], object]] = []

    def all(self) -> list[Problem]:
        """The problems that stand, oldest first."""
        return list(self._by_place.values())

    def listen(self, listener: Callable[[Problem], object]) -> None:
        self._listeners.append(listener)

    def record(
        self,
        message: str,
        *,
        frame: int,
        script: str | None = None,
        line: int | None = None,
        entity: int | None = None,
        traceback: str = "",
        source: str = "",
        outcome: str = "",
        save: object = None,
    ) -> Problem:
        """Count a problem of this place, or add it; tell the listeners and the log of a new one.

        `save` is the version that could not take over: who saved again is told again, also of the same line.
        """
        if len(message) > LONGEST:
            message = message[: LONGEST - 3] + "..."
        place = (script, line) if line is not None else (script, message)
        if place not in self._by_place and len(self._by_place) >= MOST_PLACES:
            message, place = f"more than {MOST_PLACES} different problems; the newest: {message}", (None, "more")
        known = self._by_place.get(place)
        saved = save is not None and self._saves.get(place) is not save
        if saved:
            self._saves[place] = save
        if known is not None:
            known.message, known.traceback = message, traceback
            known.entity, known.last_frame = entity, frame
            known.source, known.outcome = source, outcome
            known.count += 1
            if saved:
                self._tell(known)
            return known
        problem = Problem(message, script, line, entity, traceback, 1, frame, frame, source, outcome)
        self._by_place[place] = problem
        self._tell(problem)
        return problem

    def _tell(self, problem: Problem) -> None:
        trace = f"\n{shown(problem.traceback)}" if problem.traceback else ""
        _log.error("%s%s", plain(problem), trace, extra={"problem": problem})
        for listener in list(self._listeners):
            try:
                listener(problem)
            except Exception as error:
                self._fail(error)

    def close(self) -> None:
        """Tell nobody any more; what was recorded stays."""
        self._listeners.clear()

    def mend(self, script: str) -> None:
        """Forget the problems of a script, because a new version of it runs."""
        self._by_place = {place: problem for place, problem in self._by_place.items() if problem.script != script}
        self._saves = {place: save for place, save in self._saves.items() if place in self._by_place}
