"""Makes the new states of a reload, beside those that run the game, and loads the version into them."""

from __future__ import annotations

from collections.abc import Container, Iterator
from typing import TYPE_CHECKING
from zlib import crc32

from engine.entity import Entity
from engine.errors import EngineError, ScriptError
from engine.lua.actor import Result
from engine.outbox import Operation, only, without
from engine.process.process import Process
from engine.process.remote import RemoteActor
from engine.reload.builder import Builder
from engine.reload.rehearsal import loaded_by
from engine.reload.setbacks import Failed, Setbacks
from engine.reload.trial import Trial, is_usual
from engine.scripts import Source
from engine.sources import Version

if TYPE_CHECKING:
    from engine.world import World


class Trials:
    """The new states of one attempt, in the order in which they were made."""

    def __init__(self, world: World, version: Version, setbacks: Setbacks) -> None:
        self._world = world
        self._version = version
        self._setbacks = setbacks
        self._all: list[Trial] = []
        self._by_id: dict[int, Trial] = {}
        self._together: Trial | None = None  # the state that all entities share
        self._process: Process | None = None  # where the version is tried
        self.builder: Builder | None = None
        self.left_over: list[object] = []  # of states that were of no use

    def __iter__(self) -> Iterator[Trial]:
        return iter(self._all)

    def __len__(self) -> int:
        return len(self._all)

    def __contains__(self, id: int) -> bool:
        """True where an entity has its new state."""
        return id in self._by_id

    def of(self, id: int) -> Trial:
        """The trial of an entity."""
        return self._by_id[id]

    @property
    def loaded(self) -> int:
        """How many entities have their new state."""
        return len(self._by_id)

    @property
    def alone(self) -> bool:
        """True where each entity has a state of its own, and that no process."""
        return self._together is None and self._process is None

    @property
    def in_process(self) -> bool:
        return self._process is not None

    def begin_process(self) -> None:
        """Start a process for the trial of what lives in one: the new version must not end there what runs."""
        world, script = self._world, self._version.script
        self._process = world.children.trial(script, world.lua, world.limits_of(script))

    def is_up(self) -> bool:
        """False while the process starts."""
        return self._process is None or self._process.is_up()

    def load(self, entity: Entity, source: Source) -> Trial:
        """Load the version for an entity, and tell the state what it will need at the swap, where that is known."""
        world, script = self._world, self._version.script
        trial = self._together or self._make(entity)
        trial.entities[entity.id] = entity
        self._by_id[entity.id] = trial
        seed = crc32(f"{world.seed}:{entity.id}".encode())
        habits = world.reloads.rehearsal.habits(script)
        mail = (b"load", entity.id, script.encode(), source.chunk.encode(), source.text, seed, *habits)
        result = trial.actor.hand(mail)
        self.check(trial, result, {entity.id})
        default = world.children.isolation(script)
        if default == "script" or not is_usual(result, entity.id):
            trial.results.append(result)
        for _, _, (isolation, clock, _) in only(result, b"script"):
            if isolation == b"script" or (isolation is False and default == "script"):
                self._together = trial
            if clock == b"real":
                trial.actor.clock = world.loop.real
        return trial

    def _make(self, entity: Entity) -> Trial:
        try:
            bare = None if self.builder is None else self.builder.take()
            trial = Trial(self._world.states.make(entity, tried_in=self._process, bare=bare), entity.id)
        except EngineError as error:  # there is no process for it
            self._setbacks.report(ScriptError(str(error)), entity)
            raise Failed from None
        trial.actor.version = self._version
        self._all.append(trial)
        return trial

    def make_ready(self, entity: Entity, missing: int) -> None:
        """An entity was loaded: have states made for the others."""
        old = entity.actor
        if old is None or isinstance(old, RemoteActor) or not entity.ready:
            return
        if self.builder is None and self.alone:
            reloads, script = self._world.reloads, self._version.script
            self.builder = reloads.readiness.builder_for(script)
            self.builder.want(missing, loaded_by(entity), reloads.rehearsal.habits(script))

    def check(self, trial: Trial, result: Result, must: Container[int]) -> list[Operation]:
        """The problems in what a state said; `Failed` where an entity of `must` has one, or the state broke."""
        said = "" if self._process is None else self._process.traceback
        return self._setbacks.check(trial, result, must, said)

    def remake(self, trial: Trial) -> None:
        """A loaded state in place of one that was started too early."""
        place = self._all.index(trial)
        self.left_over.append(trial.actor.husk())
        trial.actor.close()
        self.load(trial.entities[trial.id], self._world.population.sources.source(self._version))
        self._all[place] = self._all.pop()

    def dismiss_dead(self) -> None:
        """Entities that ended meanwhile need no new version."""
        for id, trial in list(self._by_id.items()):
            if trial.entities[id].alive:
                continue
            del self._by_id[id], trial.entities[id]
            if trial.entities:
                trial.results = [without(result, id) for result in trial.results]
                trial.results.append(without(trial.actor.hand((b"discard", id)), id))
            else:
                self._all.remove(trial)
                trial.actor.close()

    def move_in(self) -> None:
        """The entities live in their new states from here on."""
        if self._process is not None:
            self._world.children.adopt(self._version.script, self._process)
            self._process = None
        for trial in self._all:
            for entity in trial.entities.values():
                entity.version = self._version.number
                self._world.states.move_in(entity, trial.actor)

    def abandon(self) -> list[object]:
        """Give up; returns what is left of the states."""
        husks = [trial.actor.husk() for trial in self._all]
        for trial in self._all:
            trial.actor.close()
        self._all.clear()
        self._by_id.clear()
        self._together = None
        if self._process is not None:
            self._world.children.dismiss(self._process)
            self._process = None
        return husks + self.left_over
