"""Reloads scripts between two frames: the new version is tried in a state of its own before the old one is let go.

A reload takes all entities of a script or none. If anything fails, the old states go on as if nothing had happened.
"""

from __future__ import annotations

import time
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from engine.entity import Entity
from engine.errors import ScriptError
from engine.lua.actor import Actor, Mail, Result
from engine.lua.state import script_error
from engine.operations import each
from engine.scripts import Scripts

if TYPE_CHECKING:
    from engine.world import World


_FOR_OLD_TASKS = (b"reply", b"result", b"callback")


@dataclass(frozen=True, slots=True)
class Reload:
    """One reload that went well: which script, the number of its new version, how many entities, how long it took."""

    script: str
    version: int
    entities: int
    seconds: float


@dataclass(slots=True)
class Trial:
    """A new state for the entities of an old one, and what it said while it started."""

    old: Actor | None
    new: Actor
    entities: list[Entity]
    results: list[Result]


class Failed(Exception):
    """A trial went wrong; the problem is recorded."""


class Reloader:
    """Collects what is to be reloaded, and swaps at the start of a frame."""

    def __init__(self, world: World, scripts: Scripts, *, watch: bool) -> None:
        self._world: World = weakref.proxy(world)
        self._scripts = scripts
        self._asked: dict[str, None] = {}
        self._versions: dict[str, int] = {}
        self._listeners: list[Callable[[Reload], object]] = []
        self._watcher: Any = None
        if watch:
            from engine.watch import Watcher

            self._watcher = Watcher([scripts.folder])

    def ask(self, name: str) -> None:
        """Reload script or library `name` at the start of the next frame; asking twice is asking once."""
        self._asked[name] = None

    def listen(self, listener: Callable[[Reload], object]) -> None:
        self._listeners.append(listener)

    def version(self, script: str) -> int:
        return self._versions.get(script, 1)

    def swap(self) -> None:
        """Carry out the reloads that were asked for."""
        if self._watcher is not None:
            self._take_changes()
        if not self._asked:
            return
        asked, self._asked = self._asked, {}
        users: dict[str, None] = {}
        for name in asked:
            for script in self._users(name):
                users[script] = None
        for script in users:
            self.reload(script)

    def close(self) -> None:
        self._listeners.clear()
        if self._watcher is not None:
            self._watcher.close()
            self._watcher = None

    def _take_changes(self) -> None:
        for path in sorted(self._watcher.changes()):
            name = self._scripts.names_of(path)
            if name is not None:
                for script in self._users(name):
                    if self._world.population.sources.changed(script):
                        self._asked[script] = None

    def _users(self, name: str) -> list[str]:
        users = self._world.population.sources.users(name)
        if name not in users and (self._world.find(name) or not users):
            users.append(name)
        return users

    def reload(self, script: str) -> None:
        """Bring all entities of `script` to the text that is on the disk now."""
        started = time.perf_counter()
        entities = [entity for entity in self._world.find(script) if entity.script == script]
        sources = self._world.population.sources
        if not entities:
            sources.forget(script)
            return
        sources.begin_trial(script)
        trials: list[Trial] = []
        try:
            self._try(script, entities, trials)
        except Failed:
            sources.discard(script)
            for trial in trials:
                trial.new.close()
            return
        sources.keep(script)
        self._world.mended(script)
        self._versions[script] = self.version(script) + 1
        for trial in trials:
            self._swap(trial)
        self._tell(Reload(script, self.version(script), len(entities), time.perf_counter() - started))

    def _try(self, script: str, entities: list[Entity], trials: list[Trial]) -> None:
        """Start the new version of every entity; `Failed` at the first that cannot."""
        try:
            source = self._world.population.sources.script(script)
        except ScriptError as error:
            self._report(error, entities[0])
            raise Failed from None
        together: Trial | None = None
        by_actor: dict[Actor | None, Trial] = {}
        for entity in entities:
            old = entity.actor
            trial = by_actor.get(old) if old is not None else None
            trial = trial or together
            if trial is None:
                trial = Trial(old, self._world.population.new_actor(entity.id), [], [])
                trials.append(trial)
                if old is not None and len(old.entities) > 1:
                    by_actor[old] = trial
            trial.entities.append(entity)
            self._start(trial, entity, source.chunk, source.text)

    def _start(self, trial: Trial, entity: Entity, chunk: str, text: bytes) -> None:
        population = self._world.population
        carried = self._carry(entity)
        fields = entity.properties if carried is None else carried
        self._give(trial, entity, population.load_mail(b"create", entity, chunk, text, fields))
        self._set_clock(trial)
        if carried is None:
            self._give(trial, entity, (b"boot", entity.id))
        else:
            self._give(trial, entity, (b"resume", entity.id, self.version(entity.script)))

    def _set_clock(self, trial: Trial) -> None:
        for name, _, values in each(trial.results[-1], 3) if type(trial.results[-1]) is tuple else ():
            if name == b"script" and values[1] == b"real":
                trial.new.clock = self._world.loop.real

    def _carry(self, entity: Entity) -> tuple[bytes, tuple[Any, ...]] | None:
        """`self` of the running version as plain data; None for an entity that never got through `init`."""
        if entity.actor is None or not entity.ready:
            return None
        result = entity.actor.hand((b"snapshot", entity.id))
        for name, _, values in each(result, 3) if type(result) is tuple else ():
            if name == b"snapshot":
                carried, _, _, shape = values[:4]
                if not carried:
                    reason = values[3].decode(errors="replace")
                    self._report(script_error(f"self cannot be carried over: {reason}"), entity)
                    raise Failed
                return shape, values[4:]
        self._report(script_error(f"self cannot be carried over: {result!r}"), entity)
        raise Failed

    def _give(self, trial: Trial, entity: Entity, mail: Mail) -> None:
        result = trial.new.hand(mail)
        if self._world.loop.operations.failed(result):
            self._report_failure(trial.new, entity, result)
            raise Failed
        trial.results.append(result)

    def _report_failure(self, actor: Actor, entity: Entity, result: Result) -> None:
        if isinstance(result, Exception):
            self._report(script_error(str(result)), entity)
            return
        for name, _, values in each(result, 3):
            if name == b"problem":
                self._report(script_error(values[0], values[1]), entity)

    def _report(self, error: ScriptError, entity: Entity) -> None:
        if entity.ready:
            error.message += f" (the old version goes on, v{self.version(entity.script)})"
        self._world.problem_of(error, entity.id)

    def _swap(self, trial: Trial) -> None:
        """Let the new state take the old one's place, its mail included."""
        population = self._world.population
        old = trial.old
        mail = [] if old is None else self._world.bus.boxes.take(old)
        listened = {entity.id: self._world.bus.names_of(entity.id) for entity in trial.entities}
        for entity in trial.entities:
            population.leave(entity.id)
            entity.ready = True
        if old is not None:
            old.entities.clear()
            population.drop(old)
        for entity in trial.entities:
            population.settle_in(entity, trial.new)
        for result in trial.results:
            self._world.loop.absorb(trial.new, result)
        for piece in mail:
            self._forward(trial.new, piece, listened)

    def _forward(self, actor: Actor, mail: Mail, listened: dict[int, dict[int, str]]) -> None:
        """Give mail for the old version to the new one: events to what listens under the same name, in order."""
        bus = self._world.bus
        if type(mail[0]) is not int:
            if mail[0] not in _FOR_OLD_TASKS:
                bus.put(actor, mail)
            return
        for entity, names in listened.items():
            name = names.get(mail[0])
            if name is None:
                continue
            place = [callback for callback, other in names.items() if other == name].index(mail[0])
            same = [callback for callback, other in bus.names_of(entity).items() if other == name]
            if place < len(same):
                bus.put(actor, (same[place], *mail[1:]))

    def _tell(self, reload: Reload) -> None:
        for listener in list(self._listeners):
            listener(reload)
