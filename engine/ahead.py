"""Starts the states of a new version while the old ones go on, so that the border between the two has little to do.

What a start touched of `self` is noted. At the border the old state tells which fields have changed since its data was
taken, and these are all that the new one gets then. Where the start touched one of them, or asked what only the border
knows (the world, the time), it is done again there; tasks that wait begin to wait at the border. So nobody can tell.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.entity import Entity
from engine.lua.actor import IN_PARTS, Actor, Result
from engine.lua.state import size_of
from engine.operations import Operations
from engine.rehearsal import Rehearsal
from engine.trial import Trial, joined, only, parted

if TYPE_CHECKING:
    from engine.world import World

LARGEST = 1024 * 1024
"""Bytes of `self`; who has more starts at the border, where it is known whether all of it can be carried."""

_LOOKED = (b"log", b"call")
"""What may have looked at all of `self`, past what notes it."""


class Ahead:
    """Says which states of one attempt start early, and brings them to the border."""

    def __init__(self, world: World, rehearsal: Rehearsal) -> None:
        self.on = True  # until one shows that it does not pay for this version
        self._questions = world.population.questions
        self._rehearsal = rehearsal

    def fits(self, entity: Entity) -> bool:
        """True where its old version runs in a state of its own."""
        actor = entity.actor
        return self.on and entity.ready and type(actor) is Actor and actor.only is entity

    def start(self, trial: Trial, entity: Entity, *, alone: bool) -> bool:
        """Start a loaded state with what its entity has now; False where it was too early, and the state is spoilt.

        Where it turned out that the entity is not to live `alone`, it only stays loaded.
        """
        actor = entity.actor
        assert actor is not None
        if not alone:
            trial.actor.function("ahead", "unwatch")(entity.id)
            return False
        shape, _ = self._rehearsal.habits(entity.script)
        snapshots, rest = parted(actor.hand((b"take", entity.id, shape)))
        self._rehearsal.absorb(actor, rest)
        if not snapshots or snapshots[0][2][0] is False:
            return False
        names, _, _, shape, *leaves = snapshots[0][2]
        if size_of(tuple(leaves)) > LARGEST:
            return False
        with self._questions.held_back() as asked:
            result = trial.actor.hand((b"start_ahead", entity.id, entity.version, names, shape, *leaves))
        if asked or Operations.failed(result) or any(only(result, word) for word in _LOOKED):
            return False
        touched: bytes | bool = trial.actor.function("ahead", "touched")()
        if isinstance(touched, bool):
            return False
        trial.results = [joined([*trial.results, result])]
        trial.started, trial.touched, trial.carried = True, touched, (names, shape, tuple(leaves))
        trial.arrive, actor.compare = trial.actor.entry("ahead", "arrive"), actor.entry("since", "changes")
        return True

    def arrive(self, trials: list[Trial]) -> list[tuple[Trial, Result]]:
        """Bring these to the border: they have all data of the old version then, and their tasks begin to wait.

        Gives what they say; None for those that have to start again.
        """
        return trials[0].actor.commons.enter(self._arrive, trials) if trials else []

    @staticmethod
    def _arrive(trials: list[Trial]) -> list[tuple[Trial, Result]]:
        said: list[tuple[Trial, Result]] = []
        for trial in trials:
            changes, new = _changes(trial), trial.actor
            if changes is None:
                said.append((trial, None))
                continue
            try:
                result = trial.arrive(*new.clock.args[:3], new.key, *changes)
                said.append((trial, new.whole(result) if type(result) is tuple and len(result) == IN_PARTS else result))
            except Exception as error:
                said.append((trial, error))
        return said

    @staticmethod
    def has_changed(trials: list[Trial]) -> bool:
        """True where one of these would have to start again now."""
        return any(trial.actor.commons.enter(_changes, trial) is None for trial in trials)


def _changes(trial: Trial) -> tuple[Any, ...] | None:
    """What has changed of an entity since it started; None where it has to start again."""
    (entity,) = trial.entities.values()
    actor = entity.actor
    if actor is None:  # it has ended, so nothing will come of it
        return ()
    found: Any = actor.compare(entity.id, trial.touched)
    return None if found is False else found or ()
