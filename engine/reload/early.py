"""Starts new states while they load, where nobody can tell that from a start at the swap.

The data is that of the swap all the same: it comes then, into a state that runs already. What a `start` must not do for
that stands in `watched.lua`, which sees it. Who did it is made anew and starts when its data is there, as do all that
come after it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from engine.entity import Entity
from engine.errors import EngineError
from engine.lua.actor import IN_PARTS, Actor, Mail, Result
from engine.lua.parts import size_of
from engine.lua.rounds import asked, ready
from engine.outbox import failed
from engine.reload.rehearsal import Carried, Told
from engine.reload.trial import Trial
from engine.sources import Version

if TYPE_CHECKING:
    from engine.world import World

_UNSEEN = re.compile(rb"\b(?:next|load)")
"""Words of scripts on LuaJIT: a loop over `next` goes past what watches a start, and so may what is loaded later."""


MOST_BYTES = 64 * 1024
"""Strings that a state takes without a tick, if it was within its memory before."""

DOUBT = object()
"""What is said of a state that is of no use, as it may have started otherwise than it would have at the swap."""


class Early:
    """Which states of an attempt have started before the swap. `possible` until one of them could not."""

    def __init__(self, world: World, version: Version) -> None:
        self.possible = True
        self._world = world
        self._version = version
        self._looked_at = 0  # texts that have none of these words

    def start(self, trial: Trial, entity: Entity, told: Told) -> bool:
        """False where that state is of no use any more. `told` is what its old state did when it rehearsed."""
        with self._world.states.questions.held_back() as questions:
            result = handed(trial, (b"early", entity.id, told.names, told.shape))
        wrong = failed(result)  # as it will again, when it matters
        self.possible = not (result is DOUBT or questions or wrong or self._is_unseen())
        if self.possible:
            trial.early = told.shape
            trial.results.append(result)
            if told.give is not None and _is_within_limits(trial.actor):
                trial.take = trial.actor.way_to("early", "take")
                said = ready(trial.actor)
                self.possible = not failed(said)
                trial.results.append(said)
        return self.possible

    def _is_unseen(self) -> bool:
        texts = self._version.texts
        if self._world.lua != "luajit21" or self._looked_at == len(texts):
            return False
        self._looked_at = len(texts)
        return any(_UNSEEN.search(source.text) for source in texts.values())


def _is_within_limits(actor: Actor) -> bool:
    try:
        actor.check_room()
    except EngineError:
        return False
    return True


def catch_up(trials: Sequence[Trial], carried: Mapping[int, Carried]) -> dict[Trial, Result]:
    """Give states that have started early the data of their only entity. What each says, or `DOUBT`."""
    results: dict[Trial, Result] = {}
    calls: dict[Trial, tuple[Any, ...]] = {}
    for trial in trials:
        _, shape, leaves = carried[trial.id]
        if trial.take is not None and shape == trial.early and size_of(leaves) < MOST_BYTES:
            calls[trial] = (trial.take, *trial.actor.clock.args[:3], *leaves)
        else:
            results[trial] = handed(trial, (b"catch_up", trial.id, shape, *leaves))
    if calls:
        said = asked(trials[0].actor.commons, [*calls.values()])
        for trial, result in zip(calls, said, strict=True):
            if isinstance(result, Exception):  # another state will meet it again
                result = DOUBT
            elif type(result) is tuple and len(result) == IN_PARTS:
                result = trial.actor.whole(result)
            results[trial] = result
    return results


def handed(trial: Trial, mail: Mail) -> Result:
    """What a state says to this mail; `DOUBT` where another start would be needed, so that another state is."""
    result = trial.actor.hand(mail)
    if not isinstance(result, Exception):
        return result
    result.__traceback__ = None  # it would keep the state
    return DOUBT
