"""One try to bring all entities of a script to another version: all of them, or none.

The new states are made and loaded beside the old ones, over as many frames as it takes, while those go on. The swap is
one frame boundary: data is taken, handed over and tried; only when that went well, the old states go. Where there is
much data, it is taken at the end of the frame before: nothing but the game can change it until the next one.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from engine.entity import Entity
from engine.errors import ScriptError
from engine.lua.actor import Result
from engine.lua.failures import script_error
from engine.outbox import Operation
from engine.reload.carrying import Carrying
from engine.reload.early import DOUBT, Early, catch_up
from engine.reload.forward import forwardings
from engine.reload.setbacks import Failed, Setbacks
from engine.reload.trial import Trial
from engine.reload.trials import Trials
from engine.scripts import Source
from engine.sources import Version

if TYPE_CHECKING:
    from engine.world import World

FEW = 16
"""So many entities are loaded in one frame, whatever it costs: who edits one figure wants to see it at once."""

SETTLING, SETTLING_EARLY = 0.5, 2.5
"""What an entity costs at the swap after its start, as a share of that; of taking its data, if it started early."""


class Attempt:
    """A version of a script on its way. `asked` is when somebody wanted it.

    `back` says that it is an older one, `whole` that it takes one frame, however long.
    """

    def __init__(
        self, world: World, version: Version, asked: float, *, back: bool = False, whole: bool = False
    ) -> None:
        self.version = version
        self.asked = asked
        self.back = back
        self.whole = whole
        self._world = world
        self._setbacks = Setbacks(world, version)
        self._trials = Trials(world, version, self._setbacks)
        self._data = Carrying(world, version.script, self._setbacks)
        self._rehearsal = world.reloads.rehearsal
        self._early = Early(world, version)
        self.loaded = False
        self.frames = 0  # in which it loaded
        self.due = False  # its data is taken at the end of this frame, in which not many loaded
        self.carried = False  # that was done at the end of the last frame

    @property
    def script(self) -> str:
        return self.version.script

    def entities(self) -> list[Entity]:
        """The living entities of the script, in id order."""
        script = self.script
        return [entity for entity in self._world.find(script) if entity.script == script]

    def prepare(self) -> None:
        """Start the process that it is tried in, where the script lives in one: that takes a while."""
        self._trials.begin_process()

    @property
    def states(self) -> int:
        """How many states of their own the entities have."""
        return len(self._trials) if self._trials.alone else 0

    def load(self, deadline: float | None, *, between: bool = False) -> bool:
        """Load the version for the entities that have none yet; False where time ran out.

        A few are always loaded in a frame; `between` two frames there may be no time for one.
        """
        if deadline is not None and not self._trials.is_up():
            return False
        if self._data.of:
            deadline = None  # it swaps now: who was born since must come along
        entities, trials = self.entities(), self._trials
        known = trials.loaded
        self.frames += not between
        source = self._source(entities)
        late = between and time.perf_counter() > (deadline or 0)
        for entity in entities:
            if entity.id in trials:
                continue
            if late:
                return False
            if deadline is not None:
                self._rehearsal.of(entity)
            trial = trials.load(entity, source)
            if deadline is not None:
                self._start_early(trial, entity)
            if not trials.in_process:
                trials.make_ready(entity, len(entities) - trials.loaded)
            few = not between and trials.loaded < FEW
            late = deadline is not None and not few and time.perf_counter() > deadline
        self.loaded, self.due = True, trials.loaded - known <= FEW
        return True

    def _source(self, entities: list[Entity]) -> Source:
        try:
            return self._world.population.sources.source(self.version)
        except ScriptError as error:
            self._setbacks.report(error, entities[0] if entities else None)
            raise Failed from None

    def carry(self) -> None:
        """Take the data of all entities, between this frame and the next, in which they swap; start some of them."""
        began = time.perf_counter()
        self.carried = True
        for trial in list(self._trials):
            if trial.started:
                self._trials.remake(trial)
        self._data.take(self.entities())
        if self._trials.alone:
            self._start_ahead(began)

    def swap(self) -> list[object]:
        """Let the new states take the place of the old ones. Returns what is left of those: freeing it takes time."""
        self._trials.dismiss_dead()
        entities = self.entities()
        newest = self._world.population.last_id
        try:
            again = [one for one in entities if one.id not in self._data.of or self._data.was_changed(one)]
            for entity in again:
                if (trial := self._trials.of(entity.id)).started:
                    self._trials.remake(trial)
            self._data.take(again)
            self._start()
        except Failed:
            self._world.population.last_id = newest  # what was not spawned after all takes no ids
            raise
        return self._replace(entities)

    def abandon(self) -> list[object]:
        """Give up; returns what is left of the new states."""
        return self._trials.abandon()

    def _start_early(self, trial: Trial, entity: Entity) -> None:
        """Start an entity before its data is known, where it has a state of its own and that makes no difference."""
        told = self._rehearsal.told(entity) if entity.ready and self._early.possible else None
        if told is not None and self._trials.alone and not self._early.start(trial, entity, told):
            self._trials.remake(trial)

    def _start_ahead(self, began: float) -> None:
        """Start so many already that the two frames around the swap take the same time; `began` is when this one did.

        Nothing happens to them before the swap, unless the game changes one: that is made anew. A script whose start
        asks the world for something waits for the swap, as do entities that the game is busy with.
        """
        count, done, first = len(self._trials), 0, time.perf_counter()
        settling = SETTLING_EARLY if self._early.possible else SETTLING
        for place in range(0, count, FEW):
            now = time.perf_counter()
            if done and now - began >= (count - done + settling * count) * (now - first) / done:
                return
            some = [trial for trial in list(self._trials)[place : place + FEW] if self._may_start(trial)]
            done += len(some)
            for trial in self._caught_up(some):
                if not trial.started and not self._start_now(trial):
                    return

    def _may_start(self, trial: Trial) -> bool:
        """True where nothing happens to its entity before the swap."""
        entity = trial.entities[trial.id]
        return trial.id in self._data.of and entity.alive and not self._data.was_changed(entity)

    def _start_now(self, trial: Trial) -> bool:
        """False where its start asks the world for something."""
        with self._world.states.questions.held_back() as asked:
            result = trial.actor.hand(self._data.start(trial))
        if asked:
            self._trials.remake(trial)
            return False
        self._take_start(trial, result)
        return True

    def _caught_up(self, trials: list[Trial]) -> list[Trial]:
        """Trials with their data, where they started early; others in the place of those that would start otherwise."""
        early = [trial for trial in trials if trial.early and not trial.started]
        known = [trial for trial in early if trial.id in self._data.of]
        for trial, result in catch_up(known, self._data.of).items():
            if result is not DOUBT:
                self._take_start(trial, result)
        for trial in early:
            if not trial.started:
                self._trials.remake(trial)
        return [self._trials.of(trial.id) if trial.early else trial for trial in trials]

    def _start(self) -> None:
        """Start every entity in its new state; one that never ran may fail again, unless all do."""
        broken: dict[int, ScriptError] = {}
        for trial in self._caught_up([trial for trial in self._trials if not trial.started]):
            if not trial.started:
                failed = self._take_start(trial, trial.actor.hand(self._data.start(trial)))
                for _, id, values in failed:
                    broken[id] = script_error(values[0], values[1])
        if broken and not self._data.of and len(broken) == self._trials.loaded:
            for id, error in broken.items():
                self._setbacks.report(error, self._world.entity(id))
            raise Failed

    def _take_start(self, trial: Trial, result: Result) -> list[Operation]:
        """Keep what a state said when it started, until the swap; gives the problems that do not matter to it."""
        failed = self._trials.check(trial, result, self._data.of)
        trial.results.append(result)
        trial.started = True
        return failed

    def _replace(self, entities: list[Entity]) -> list[object]:
        world, population = self._world, self._world.population
        olds = list(dict.fromkeys(entity.actor for entity in entities if entity.actor is not None))
        mail = forwardings(world, olds)
        unread = frozenset(number for box in mail for number in box.requests())
        for entity in entities:
            population.leave(entity.id, unread)
        husks = self._trials.left_over + [world.states.replace(old) for old in olds]
        self._trials.move_in()
        population.sources.keep(self.version)
        if not self.back:
            for name in self.version.texts:
                world.failures.mend(name)
        for trial in self._trials:
            for result in trial.results:
                world.loop.absorb(trial.actor, result)
        for box in mail:
            box.deliver()
        return husks
