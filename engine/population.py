"""Births and deaths: which entities there are, which are to come, and what their scripts say of themselves."""

from __future__ import annotations

import weakref
from functools import partial
from typing import TYPE_CHECKING, Any
from zlib import crc32

from engine.bus.events import text
from engine.bus.shapes import few_names, names_in
from engine.entity import Entities, Entity
from engine.errors import EngineError, LimitError, ScriptError
from engine.hooks import meant_hook
from engine.lua.actor import Actor, Mail, Result
from engine.lua.parts import size_of
from engine.outbox import FIRST, failed
from engine.payload import Encoded, encode
from engine.scripts import Source
from engine.sources import Sources

if TYPE_CHECKING:
    from engine.world import World

_MUCH = 1024 * 1024  # bytes of fields for which there may be no room: who gets so many is born as any other


class Population:
    """The entities of a world. An id is promised first, then the entity is announced, and born when that is settled."""

    def __init__(self, world: World, sources: Sources) -> None:
        self._world: World = weakref.proxy(world)
        # What every birth asks. These hold the world no more than it does.
        self._states, self._loop, self._delivery = world.states, world.loop, world.delivery
        self._losses, self._children = world.losses, world.children
        self._seed = crc32(b"%d:" % world.seed)
        self.sources = sources
        self.entities = Entities()
        self._announced: dict[int, Entity] = {}  # to be born next
        self._promised: dict[int, str] = {}  # ids that a script knows already, and of which script they will be
        self._doomed: dict[int, None] = {}  # to end next
        self._unbegun: set[int] = set()  # entities that are loaded, and did not begin with that
        self.settling = False  # deaths or births are under way; who is to end meanwhile does so when that is done
        self._listening: dict[int, None] = {}  # entities with on_input
        self.last_id = 0
        self._destroy = partial(Population.destroy, weakref.proxy(self))  # for entities, which may outlive the world

    # Births.

    def check_room(self, script: str) -> None:
        """`LimitError` where scripts may make no more entities, or no more of this script."""
        most, own = self._world.limits.entities, self._world.limits_of(script).entities
        if own is not None and own != most and self._number_of(script) >= own:
            raise LimitError(
                f'entity.spawn: there are {own} entities of "{script}", the limit for it (Limits.entities); '
                "destroy some, or raise the limit"
            )
        if most is not None and len(self.entities) + len(self._announced) + len(self._promised) >= most:
            raise LimitError(
                f"entity.spawn: the world has {most} entities, the limit for scripts (Limits.entities); "
                "destroy some, or raise the limit"
            )

    def _number_of(self, script: str) -> int:
        """How many entities of a script there are, or are to come."""
        announced = sum(entity.script == script for entity in self._announced.values())
        return self.entities.number_of(script) + announced + sum(each == script for each in self._promised.values())

    def new_id(self, script: str = "") -> int:
        """An id for an entity that will be announced in this round."""
        self.last_id += 1
        self._promised[self.last_id] = script
        return self.last_id

    def announce(self, id: int, script: str, properties: Encoded) -> Entity:
        """An entity that starts when births are next carried out; mail to it waits until then."""
        entity = Entity(id, script, properties, self._destroy)
        self._announced[id] = entity
        self._delivery.expect(id)
        return entity

    def spawn(self, script: str, properties: Encoded) -> Entity:
        """An entity that starts now; while deaths or births are under way, or to come, it waits for its turn."""
        if self.settling or self._announced or self._doomed or self._losses.waiting:
            entity = self.announce(self.new_id(script), script, properties)
            self.settle()
            return entity
        self._promised.clear()
        self.last_id = id = self.last_id + 1
        entity = Entity(id, script, properties, self._destroy)
        self.settling = True
        try:
            self.entities.add(entity)
            self.create(entity)
            if self._doomed:
                self._bury()
        finally:
            self.settling = False
        return entity

    def is_coming(self, id: int) -> bool:
        return id in self._announced or id in self._promised

    def script_at(self, id: int) -> str | None:
        """The script of an entity that lives, is coming or waits for another version; None where there is none."""
        found = self.entities.get(id) or self._announced.get(id) or self._world.fallen.get(id)
        return found.script if found else self._promised.get(id)

    def settle(self) -> None:
        """Carry out the deaths and births that this frame asked for."""
        if self.settling:  # a listener spawns while another entity begins, between two frames
            self._bear()
            return
        self.settling = True
        try:
            self._promised.clear()
            if self._doomed:
                self._bury()
            if self._losses.waiting:
                self._losses.settle()
            if self._announced:
                self._bear()
            if self._doomed and not self._loop.running:
                self._bury()
        finally:
            self.settling = False

    def _bury(self) -> None:
        """Deaths. What they bring about waits for the end of the next frame in a frame, and for nothing else."""
        while self._doomed:
            doomed, self._doomed = self._doomed, {}
            for id in doomed:
                self._end(id)
            if self._loop.running:
                return

    def _bear(self) -> None:
        announced, self._announced = self._announced, {}
        for id in sorted(announced):
            if announced[id].alive:
                self.entities.add(announced[id])
                self.create(announced[id])
            else:
                self._delivery.leave(id)

    def create(self, entity: Entity) -> None:
        """Load and start an entity; what goes wrong is a problem, and a reload tries again."""
        script, states = entity.script, self._states
        version = self.sources.running(script)
        entity.version = version.number
        try:
            source = version.texts.get(script) or self.sources.source(version)
        except ScriptError as error:
            self._delivery.expect(entity.id)
            self._world.failures.problem_of(error, entity.id)
            return
        shape, leaves = entity.properties
        shared = states.together.get(script) if states.together else None
        names = None if shared else few_names(shape)
        try:
            actor = shared or states.make(entity, source, names)
        except EngineError as error:
            self._delivery.expect(entity.id)
            self._losses.stillborn(entity, error)
            return
        actor.version = version
        states.move_in(entity, actor)
        seed = crc32(b"%d" % entity.id, self._seed)
        first = shared is None and (bytes not in map(type, leaves) or size_of(leaves) < _MUCH)
        if names is None or not first or actor.awaits != source or self._children.shares:
            self._load(entity, actor, source, seed, first=first, alone=shared is None)
            return
        if names is not actor.names:
            states.names[script] = names
        self._loop.absorb_birth(actor, entity, actor.bear(entity.id, seed, names, leaves))

    def _load(self, entity: Entity, actor: Actor, source: Source, seed: int, *, first: bool, alone: bool) -> None:
        """Have an entity begin that did not lie in wait for it."""
        shape, leaves = entity.properties
        if actor.another == (source, shape):
            result = actor.hand((b"another", entity.id, seed, *leaves))
        else:
            # It was read for the first entity of a state only, which has room for so many bytes.
            known = first and actor.takes(source)
            actor.another = None  # until the state has it: Ctrl-C may come before
            result = actor.hand(self._birth(entity, seed, source, known=known))
            if not known and names_in(shape) is not None:
                actor.another = (source, shape)
        if not alone and self._is_one_more(actor, entity, result):
            return
        self._unbegun.add(entity.id)
        try:
            self._loop.absorb(actor, result)
            begun = entity.id not in self._unbegun
        finally:
            self._unbegun.discard(entity.id)
        if not begun and not failed(result):
            self._hand(actor, (b"boot", entity.id))

    def _is_one_more(self, actor: Actor, entity: Entity, result: Result) -> bool:
        """Carry out what came of a birth where others live, if it is what nearly all tell there; else False."""
        id, told = entity.id, self._loop.absorb_told
        if told(actor, entity, result, (b"script", id, 3, False, False, True, b"ready", id, 0)):
            entity.ready = True
            return True
        clock = result[FIRST + 4 : FIRST + 5] if type(result) is tuple else ()
        if not clock or clock[0] is not False:  # a clock called 0 would be the same as none
            return False
        if not told(actor, entity, result, (b"script", id, 3, b"script", False, False)):
            return False
        result = actor.hand((b"boot", id))
        if told(actor, entity, result, (b"ready", id, 0)):
            entity.ready = True
        else:
            self._loop.absorb(actor, result)
        return True

    def _birth(self, entity: Entity, seed: int, source: Source, *, known: bool) -> Mail:
        """The mail that starts an entity, and has its script loaded where that is not `known` already."""
        shape, leaves = entity.properties
        names = names_in(shape)
        fields = (shape, *leaves) if names is None else (len(names), *names, *leaves)
        if known:
            return (b"begin", entity.id, entity.script.encode(), seed, *fields)
        return (b"create", entity.id, entity.script.encode(), seed, source.chunk.encode(), source.text, *fields)

    def script_loaded(self, actor: Actor, id: int, isolation: Any, clock: Any, begins: Any) -> None:
        """What a script's table says of itself: `isolation` and `clock`, false where it says nothing.

        It `begins` with its first hooks in the same call, where nothing of that has to be carried out before.
        """
        if begins:
            self._unbegun.discard(id)
            if not self._children.shares:  # nor did it say anything
                return
        script = self.script_of(id)
        default = self._children.isolation(script)
        chosen, clock = (text(said) if isinstance(said, bytes) else said for said in (isolation, clock))
        chosen = default if chosen is False else chosen
        if chosen not in ("entity", "script") and chosen is not default:
            hint = f'; a process is for the game to choose: world.isolate("{script}", "process")'
            hint = hint if chosen == "process" else ""
            self._world.failures.problem(f'isolation must be "entity" or "script", got {chosen!r}{hint}', entity=id)
        elif chosen == "script":
            self._states.share(script, actor)
        if clock == "real":
            self._loop.set_clock(actor, self._loop.real)
        elif clock is not False and clock != "game":
            self._world.failures.problem(f'clock must be "game" or "real", got {clock!r}', entity=id)

    def check_method(self, id: int, name: str, line: int) -> None:
        """Report a method whose name looks like a misspelt hook, and that the script does not call itself."""
        meant, script = meant_hook(name), self.script_of(id)
        if meant is not None and not self.sources.calls(script, name):
            message = f'there is no hook "{name}"; did you mean "{meant}"?'
            self._world.failures.problem(message, script=self.sources.chunk(script), line=line, entity=id)

    # Deaths.

    def destroy(self, id: int) -> None:
        """End an entity: at the end of the frame while the world ticks, else now."""
        announced = self._announced.get(id) or self._world.fallen.take(id)
        if announced is not None:
            announced.end()
            return
        self._doomed[id] = None
        if not self._world.busy:
            self.settling = True
            try:
                self._bury()
            finally:
                self.settling = False

    def _end(self, id: int) -> None:
        entity = self.entities.get(id)
        if entity is None:
            return
        actor = entity.actor
        if actor is not None and not actor.ends_quietly:
            self._hand(actor, (b"final", id, b"destroyed"))
        if not entity.alive:  # its state was closed in that tick
            return
        self.entities.remove(entity)
        entity.end()
        self.leave(id)
        if actor is not None:
            self._states.move_out(id, actor)

    def leave(self, id: int, unread: frozenset[int] | None = None) -> None:
        """Forget what the world keeps for an entity's present version.

        At a reload `unread` are the requests that the next version will answer.
        """
        self._delivery.leave(id, unread)
        self._world.shared.leave(id)
        if self._world.host is not None:
            self._world.host.leave(id)
        self._listening.pop(id, None)

    def close(self) -> None:
        for entity in (*self.entities, *self._announced.values()):
            entity.end()
        self.entities = Entities()
        self._announced.clear()

    # Input.

    def wants_input(self, id: int) -> None:
        self._listening[id] = None

    def tell_input(self, change: dict[str, Any]) -> None:
        """Give an action to every entity with `on_input`, in id order."""
        shape, leaves = encode(change)
        for id in sorted(self._listening):
            entity = self.entities.get(id)
            if entity is not None and entity.actor is not None:
                self._delivery.boxes.put(entity.actor, (b"hook", id, b"on_input", shape, *leaves))

    def script_of(self, id: int) -> str:
        """The script of a living entity, or of one that is being made."""
        entity = self.entities.get(id)
        if entity is None:
            raise EngineError(f"there is no entity {id}")
        return entity.script

    def _hand(self, actor: Actor, mail: Mail) -> Result:
        """Hand over one piece of mail now, and see to what came of it, which is also given back."""
        result = actor.hand(mail)
        self._loop.absorb(actor, result)
        return result
