"""What goes wrong when another version of a script is tried: it is told, and ends the attempt."""

from __future__ import annotations

from collections.abc import Container
from typing import TYPE_CHECKING

from engine.entity import Entity
from engine.errors import ScriptError
from engine.lua.actor import Result
from engine.lua.failures import script_error
from engine.outbox import Operation, problems
from engine.reload.trial import Trial
from engine.sources import Version

if TYPE_CHECKING:
    from engine.world import World


class Failed(Exception):
    """The attempt is over; its problem is recorded."""


class Setbacks:
    """Those of one version."""

    def __init__(self, world: World, version: Version) -> None:
        self._world = world
        self._version = version

    def report(self, error: ScriptError, entity: Entity | None) -> None:
        """Tell the error, and what becomes of the entity that met it."""
        outcome = ""
        if entity is not None and entity.ready:
            outcome = f"old version still running (v{entity.version})"
        elif entity is not None:
            outcome = f"{entity.script} {entity.id} has not started; it will when the file is mended"
        if error.script is None:
            error.script = self._world.population.sources.chunk(self._version.script)
        self._world.failures.problem_of(
            error, None if entity is None else entity.id, outcome=outcome, version=self._version
        )

    def check(self, trial: Trial, result: Result, must: Container[int], said: str = "") -> list[Operation]:
        """The problems in what a state said; `Failed` where an entity of `must` has one, or the state broke.

        `said` is what its process left, if it has one and that ended.
        """
        if isinstance(result, Exception):
            self.report(ScriptError(str(result), traceback=said), next(iter(trial.entities.values())))
            raise Failed
        found = problems(result)
        serious = [problem for problem in found if problem[1] in must or problem[0] == b"over"]
        for name, id, values in serious:
            error = script_error(values[0], values[1] if name == b"problem" else b"")
            self.report(error, self._world.entity(id))
        if serious:
            raise Failed
        return found
