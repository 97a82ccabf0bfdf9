"""One try to bring all entities of a script to another version: all of them, or none.

The new states are made and loaded beside the old ones, over as many frames as it takes, while those go on. The swap is
one frame boundary: data is taken, handed over and tried; only when that went well, the old states go. Where there is
much data, it is taken at the end of the frame before: nothing but the game can change it until the next one.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING
from zlib import crc32

from engine.builder import Builder
from engine.carrying import Carrying
from engine.early import DOUBT, Early, catch_up
from engine.entity import Entity
from engine.errors import EngineError, ScriptError
from engine.forward import forwardings
from engine.lua.actor import Result
from engine.lua.failures import script_error
from engine.outbox import Operation, only, without
from engine.process.process import Process
from engine.process.remote import RemoteActor
from engine.rehearsal import loaded_by
from engine.setbacks import Failed, Setbacks
from engine.sources import Version
from engine.trial import Trial, is_usual

if TYPE_CHECKING:
    from engine.world import World

FEW = 16
"""So many entities are loaded in one frame, whatever it costs: who edits one figure wants to see it at once."""

SETTLING, SETTLING_EARLY = 0.5, 2.5
"""What an entity costs at the swap after its start, as a share of that; of taking its data, if it started early."""


class Attempt:
    """A version of a script on its way. `asked` is when somebody wanted it, `back` says that it is an older one."""

    def __init__(self, world: World, version: Version, asked: float, *, back: bool = False) -> None:
        self.version = version
        self.asked = asked
        self.back = back
        self._world = world
        self._trials: list[Trial] = []
        self._by_id: dict[int, Trial] = {}
        self._together: Trial | None = None
        self._process: Process | None = None  # where it is tried
        self._builder: Builder | None = None
        self._left_over: list[object] = []  # of states that started too early
        self._setbacks = Setbacks(world, version)
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
        """Start a process for the trial of what lives in one: the new version must not end there what runs."""
        world = self._world
        self._process = world.children.trial(self.script, world.lua, world.limits_of(self.script))

    @property
    def states(self) -> int:
        """How many states of their own the entities have."""
        return 0 if self._together is not None or self._process is not None else len(self._trials)

    def load(self, deadline: float | None, *, between: bool = False) -> bool:
        """Load the version for the entities that have none yet; False where time ran out.

        A few are always loaded in a frame; `between` two frames there may be no time for one.
        """
        if deadline is not None and self._process is not None and not self._process.is_up():
            return False
        if self._data.of:
            deadline = None  # it swaps now: who was born since must come along
        entities, known = self.entities(), len(self._by_id)
        self.frames += not between
        try:
            source = self._world.population.sources.source(self.version)
        except ScriptError as error:
            self._setbacks.report(error, entities[0] if entities else None)
            raise Failed from None
        late = between and time.perf_counter() > (deadline or 0)
        for entity in entities:
            if entity.id in self._by_id:
                continue
            if late:
                return False
            if deadline is not None:
                self._rehearsal.of(entity)
            self._load(entity, source.chunk, source.text)
            if deadline is not None:
                self._start_early(entity)
            if self._process is None:
                self._get_ready(entity, len(entities) - len(self._by_id))
            few = not between and len(self._by_id) < FEW
            late = deadline is not None and not few and time.perf_counter() > deadline
        self.loaded, self.due = True, len(self._by_id) - known <= FEW
        return True

    def carry(self) -> None:
        """Take the data of all entities, between this frame and the next, in which they swap; start some of them."""
        began = time.perf_counter()
        self.carried = True
        for trial in self._trials:
            if trial.started:
                self._remake(trial)
        self._data.take(self.entities())
        if self._together is None and self._process is None:
            self._start_ahead(began)

    def swap(self) -> list[object]:
        """Let the new states take the place of the old ones. Returns what is left of those: freeing it takes time."""
        self._dismiss_dead()
        entities = self.entities()
        newest = self._world.population.last_id
        try:
            again = [one for one in entities if one.id not in self._data.of or self._data.was_changed(one)]
            for entity in again:
                if self._by_id[entity.id].started:
                    self._remake(self._by_id[entity.id])
            self._data.take(again)
            self._start()
        except Failed:
            self._world.population.last_id = newest  # what was not spawned after all takes no ids
            raise
        return self._replace(entities)

    def abandon(self) -> list[object]:
        """Give up; returns what is left of the new states."""
        husks = [trial.actor.husk() for trial in self._trials]
        for trial in self._trials:
            trial.actor.close()
        self._trials.clear()
        self._by_id.clear()
        self._together = None
        if self._process is not None:
            self._world.children.dismiss(self._process)
            self._process = None
        return husks + self._left_over

    # Loading.

    def _load(self, entity: Entity, chunk: str, text: bytes) -> None:
        """Load the version for an entity, and tell the state what it will need at the swap, where that is known."""
        trial = self._together
        if trial is None:
            try:
                bare = None if self._builder is None else self._builder.take()
                trial = Trial(self._world.states.make(entity, self._process, bare), entity.id)
            except EngineError as error:  # there is no process for it
                self._setbacks.report(ScriptError(str(error)), entity)
                raise Failed from None
            trial.actor.version = self.version
            self._trials.append(trial)
        trial.entities[entity.id] = entity
        self._by_id[entity.id] = trial
        seed = crc32(f"{self._world.seed}:{entity.id}".encode())
        habits = self._rehearsal.habits(self.script)
        result = trial.actor.hand((b"load", entity.id, entity.script.encode(), chunk.encode(), text, seed, *habits))
        self._setbacks.check(trial, result, {entity.id}, "" if self._process is None else self._process.traceback)
        default = self._world.children.isolation(self.script)
        if default == "script" or not is_usual(result, entity.id):
            trial.results.append(result)
        for _, _, (isolation, clock, _) in only(result, b"script"):
            if isolation == b"script" or (isolation is False and default == "script"):
                self._together = trial
            if clock == b"real":
                trial.actor.clock = self._world.loop.real

    def _start_early(self, entity: Entity) -> None:
        """Start an entity before its data is known, where it has a state of its own and that makes no difference."""
        told = self._rehearsal.told(entity) if entity.ready and self._early.possible else None
        if told is None or self._together is not None or self._process is not None:
            return
        trial = self._by_id[entity.id]
        if not self._early.start(trial, entity, told):
            self._remake(trial)

    def _get_ready(self, entity: Entity, missing: int) -> None:
        """An entity was loaded: have states made for the others."""
        old = entity.actor
        if old is None or isinstance(old, RemoteActor) or not entity.ready:
            return
        if self._builder is None and self._together is None:
            self._builder = self._world.reloads.builder(self.script)
            self._builder.want(missing, loaded_by(entity), self._rehearsal.habits(self.script))

    def _dismiss_dead(self) -> None:
        """Entities that ended meanwhile need no new version."""
        for id, trial in list(self._by_id.items()):
            if trial.entities[id].alive:
                continue
            del self._by_id[id], trial.entities[id]
            if trial.entities:
                trial.results = [without(result, id) for result in trial.results]
                trial.results.append(without(trial.actor.hand((b"discard", id)), id))
            else:
                self._trials.remove(trial)
                trial.actor.close()

    # Taking over.

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
            some = [trial for trial in self._trials[place : place + FEW] if self._may_start(trial)]
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
        with self._world.questions.held_back() as asked:
            result = trial.actor.hand(self._data.start(trial))
        if asked:
            self._remake(trial)
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
                self._remake(trial)
        return [self._by_id[trial.id] if trial.early else trial for trial in trials]

    def _remake(self, trial: Trial) -> None:
        """A loaded state in place of one that was started too early."""
        entity = trial.entities[trial.id]
        place = self._trials.index(trial)
        self._left_over.append(trial.actor.husk())
        trial.actor.close()
        source = self._world.population.sources.source(self.version)
        self._load(entity, source.chunk, source.text)
        self._trials[place] = self._trials.pop()

    def _start(self) -> None:
        """Start every entity in its new state; one that never ran may fail again, unless all do."""
        broken: dict[int, ScriptError] = {}
        for trial in self._caught_up([trial for trial in self._trials if not trial.started]):
            if not trial.started:
                failed = self._take_start(trial, trial.actor.hand(self._data.start(trial)))
                for _, id, values in failed:
                    broken[id] = script_error(values[0], values[1])
        if broken and not self._data.of and len(broken) == len(self._by_id):
            for id, error in broken.items():
                self._setbacks.report(error, self._world.entity(id))
            raise Failed

    def _take_start(self, trial: Trial, result: Result) -> list[Operation]:
        """Keep what a state said when it started, until the swap; gives the problems that do not matter to it."""
        said = "" if self._process is None else self._process.traceback
        failed = self._setbacks.check(trial, result, self._data.of, said)
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
        husks = self._left_over + [world.states.replace(old) for old in olds]
        if self._process is not None:
            world.children.adopt(self.script, self._process)
            self._process = None
        for trial in self._trials:
            for entity in trial.entities.values():
                entity.version = self.version.number
                world.states.move_in(entity, trial.actor)
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
