"""The Lua states of a world: makes them, lets entities live in them, and closes them."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING

from engine.bus.shapes import few_names
from engine.entity import Entity
from engine.errors import EngineError
from engine.limits import Limits
from engine.lua.actor import Actor, Terms
from engine.lua.bare import Bare, made_ahead, reads
from engine.lua.runtime import Names, Text
from engine.process.process import Process
from engine.process.remote import RemoteActor
from engine.questions import Questions
from engine.warm import Warm

if TYPE_CHECKING:
    from engine.world import World


class States:
    """Those of one world. `actors` are the states in which entities live, by the id of the first that did."""

    def __init__(self, world: World) -> None:
        self._world: World = weakref.proxy(world)
        # What every birth asks. These hold the world no more than it does.
        self._permits, self._bounds, self._children = world.permits, world.bounds, world.children
        self._delivery = world.delivery
        self.actors: dict[int, Actor] = {}
        self.together: dict[str, Actor] = {}  # script -> the state that its entities share
        self.names: dict[str, Names] = {}  # script -> of the fields that its last entities got
        self._read_at_birth: dict[str, Text] = {}  # by name, those that ask for more than their table
        self.warm = Warm()
        self.questions = Questions(world)
        answer = self.questions.answer
        self._ask = answer if world.workers is None else world.workers.in_turn(answer)

    def make(
        self, entity: Entity, script: Text | None = None, tried_in: Process | None = None, bare: Bare | None = None
    ) -> Actor:
        """A state for `entity`, under the limits of its script, in the process that is its place or that of a trial.

        With `script` it may have read that already. `bare` is one that was made for it, where it needs no process.
        """
        permit, limits = self._permits.of(entity.script), self._bounds.of(entity.script)
        process = tried_in
        if process is None and self._children.any:
            process = self._children.process(entity.script, self._world.lua, limits)
        made = self.warm.take(limits, entity.id) if process is None and bare is None else None
        if made is None:
            terms, clock = self._terms(limits, None if permit is None else permit.held()), self._world.loop.game
            if process is not None:
                made = RemoteActor(entity.id, clock, self._ask, terms, process)
            else:
                if script is not None and not self._children.shares:
                    bare = self._reading(script, limits, few_names(entity.properties[0]))
                made = Actor(entity.id, clock, self._ask, terms, bare)
        elif permit is not None:
            made.function("rights", "hold")(*permit.held())
        made.permit = permit
        return made

    def _reading(self, script: Text, limits: Limits, names: Names | None) -> Bare | None:
        """A state that has read `script`; None for one that is to be read at a birth, which is tried once."""
        if self._read_at_birth.get(script[0]) == script:
            return None
        bare = reads(self._world.lua, limits, self._world.seed, script, names)
        if bare is None:
            self._read_at_birth[script[0]] = script
        elif names is not None:
            self.names[script[0]] = names
        return bare

    def keep_warm(self, count: int, script: str) -> None:
        """Have so many states ready, as those of `script` are."""
        world = self._world
        if world.children.isolation(script) == "process":
            raise EngineError(
                "warm: these scripts live in child processes, which make their states themselves; "
                "name a script that does not, or spawn early"
            )
        source = world.population.sources.glance(script) if script else None
        limits = world.limits_of(script)
        names = self.names.get(script)
        terms, bares = self._terms(limits), made_ahead(world.lua, limits, world.seed, source, names)
        self.warm.keep(count, limits, (Actor(0, world.loop.game, self._ask, terms, bare) for bare in bares))

    def _terms(self, limits: Limits, held: tuple[bytes, ...] | None = None) -> Terms:
        world = self._world
        if not self.actors and not len(self.warm):
            world.loop.paced = world.fixed_step
        return Terms(world.lua, limits, world.seed, world.fixed_step, world.commons, held)

    def share(self, script: str, actor: Actor) -> None:
        """The entities of `script` that are born from here on live in `actor`, unless another state was first."""
        self.together.setdefault(script, actor)

    def move_in(self, entity: Entity, actor: Actor) -> None:
        """Let `entity` live in `actor`."""
        entity.move_in(actor)
        self.actors[actor.key] = actor
        if actor.entities:
            actor.only = None
            self._world.loop.rearrange()
        else:
            actor.only = entity
        actor.entities[entity.id] = None
        self._delivery.join(entity.id, actor)

    def move_out(self, id: int, actor: Actor) -> None:
        """An entity has ended; the state of the last one is closed."""
        del actor.entities[id]
        actor.only = self._world.entity(next(iter(actor.entities))) if len(actor.entities) == 1 else None
        self._world.loop.rearrange()
        if not actor.entities:
            self.drop(actor)

    def replace(self, actor: Actor) -> object:
        """Close a state whose entities move on. What is left of it takes a while to free, so the caller gets it."""
        husk = actor.husk()
        actor.entities.clear()
        self.drop(actor)
        return husk

    def drop(self, actor: Actor) -> None:
        """Close a state that no entity lives in."""
        if self.actors.get(actor.key) is actor:
            del self.actors[actor.key]
        if self.together:
            self.together = {script: together for script, together in self.together.items() if together is not actor}
        self._world.loop.forget(actor)
        actor.close()

    def close(self) -> None:
        self.warm.close()
        for actor in list(self.actors.values()):
            actor.close()
        self.actors.clear()
        self.together.clear()
