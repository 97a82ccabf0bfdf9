"""The Lua states of a world: makes them, lets entities live in them, and closes them."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING

from engine.entity import Entity
from engine.errors import EngineError
from engine.limits import Limits
from engine.lua.actor import Actor, Terms, answers
from engine.lua.bare import Bare, made_ahead, reads
from engine.lua.runtime import Names, Text
from engine.permits import Permit
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
        self._delivery, self._loop, self._clock = world.delivery, world.loop, world.loop.game
        self.actors: dict[int, Actor] = {}
        self.together: dict[str, Actor] = {}  # script -> the state that its entities share
        self.names: dict[str, Names] = {}  # script -> of the fields that its last entities got
        self._read_at_birth: dict[str, Text] = {}  # by name, those that ask for more than their table
        self.warm = Warm()
        self.questions = Questions(world)
        ask = self.questions.answer
        self._answer = answers(ask if world.workers is None else world.workers.in_turn(ask), world.commons)

    def make(
        self,
        entity: Entity,
        script: Text | None = None,
        names: Names | None = None,
        *,
        tried_in: Process | None = None,
        bare: Bare | None = None,
    ) -> Actor:
        """A state for `entity`, under the limits of its script, in the process that is its place or that of a trial.

        With `script` it may have read that already, and expects fields of these `names`. `bare` is one that was made
        for it, where it needs no process.
        """
        terms, process = self._terms_of(entity.script), tried_in
        if process is None and self._children.any:
            process = self._children.process(entity.script, terms.lua, terms.limits)
        made: Actor | None = None
        if process is not None:
            made = RemoteActor(entity.id, self._clock, self._answer, terms, process)
        elif bare is None and self.warm.ready:
            made = self.warm.take(terms.limits, entity.id)
            if made is not None and terms.held is not None:
                made.function("rights", "hold")(*terms.held)
        if made is None:
            if script is not None and not self._children.shares:
                bare = self._reading(script, terms, names)
            made = Actor(entity.id, self._clock, self._answer, terms, bare)
        if terms.permit is not None:
            made.permit = terms.permit
        return made

    def _reading(self, script: Text, terms: Terms, names: Names | None) -> Bare | None:
        """A state that has read `script`; None for one that is to be read at a birth, which is tried once."""
        if self._read_at_birth and self._read_at_birth.get(script[0]) == script:
            return None
        bare = reads(terms.lua, terms.limits, terms.seed, script, names)
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
        limits, names = world.limits_of(script), self.names.get(script)
        terms, bares = self._terms(limits), made_ahead(world.lua, limits, world.seed, source, names)
        self.warm.keep(count, limits, (Actor(0, self._clock, self._answer, terms, bare) for bare in bares))

    def _terms_of(self, script: str) -> Terms:
        """What the states of `script` are made under; found out once, until something is said of its limits or mod."""
        known = self._bounds.terms.get(script)
        if known is None or known.fixed_step is not self._world.fixed_step or not self.actors:
            permit = self._permits.of(script)
            known = self._bounds.terms[script] = self._terms(self._bounds.of(script), permit)
        return known

    def _terms(self, limits: Limits, permit: Permit | None = None) -> Terms:
        world = self._world
        if not self.actors and not len(self.warm):
            self._loop.paced = world.fixed_step
        held = None if permit is None else permit.held()
        return Terms(world.lua, limits, world.seed, world.fixed_step, world.commons, held, permit)

    def share(self, script: str, actor: Actor) -> None:
        """The entities of `script` that are born from here on live in `actor`, unless another state was first."""
        self.together.setdefault(script, actor)

    def move_in(self, entity: Entity, actor: Actor) -> None:
        """Let `entity` live in `actor`."""
        id = entity.id
        entity.move_in(actor)
        self.actors[actor.key] = actor
        if not actor.entities:
            actor.only, actor.entities = entity, (id,)
        else:
            if type(actor.entities) is tuple:
                actor.entities = dict.fromkeys(actor.entities)
            actor.only = actor.entities[id] = None
            self._loop.rearrange()
        self._delivery.join(id, actor)

    def move_out(self, id: int, actor: Actor) -> None:
        """An entity has ended; the state of the last one is closed."""
        if type(actor.entities) is dict:
            del actor.entities[id]
        else:
            actor.entities = ()
        actor.only = self._world.entity(next(iter(actor.entities))) if len(actor.entities) == 1 else None
        self._loop.rearrange()
        if not actor.entities:
            self.drop(actor)

    def replace(self, actor: Actor) -> object:
        """Close a state whose entities move on. What is left of it takes a while to free, so the caller gets it."""
        husk = actor.husk()
        actor.entities = ()
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
