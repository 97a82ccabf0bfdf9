"""Takes `self` of the old version of entities, as plain data that their new one starts with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.entity import Entity
from engine.errors import ScriptError
from engine.lua.actor import Actor, Mail, Result
from engine.outbox import parted
from engine.reload.rehearsal import Carried
from engine.reload.setbacks import Failed, Setbacks
from engine.reload.trial import Trial

if TYPE_CHECKING:
    from engine.world import World

_HINT = '; begin the field\'s name with "_" and set it in start, then it is not carried'


class Carrying:
    """The data of the entities of one script: `of` each by its id, as far as it was taken."""

    def __init__(self, world: World, script: str, setbacks: Setbacks) -> None:
        self.of: dict[int, Carried] = {}
        self._world = world
        self._script = script
        self._setbacks = setbacks

    def take(self, entities: list[Entity]) -> None:
        """Take that of every entity whose old version got through `init`; `Failed` where one cannot be carried."""
        rehearsal = self._world.reloads.rehearsal
        entities = [entity for entity in entities if entity.ready]
        given = rehearsal.given(entities)
        self.of |= given
        by_actor: dict[Actor, list[Any]] = {}
        shape, _ = rehearsal.habits(self._script)
        for entity in entities:
            if entity.id not in given and entity.actor is not None:
                by_actor.setdefault(entity.actor, []).extend((b"snapshot", entity.id, shape))
        for actor, mail in by_actor.items():
            self._note(actor, actor.hand(tuple(mail)))

    def _note(self, actor: Actor, result: Result) -> None:
        snapshots, rest = parted(result)
        self._world.reloads.rehearsal.absorb(actor, rest)
        for _, id, values in snapshots:
            if values[0] is False:
                self._refuse(f"{values[3].decode(errors='replace')}{_HINT}", id)
            self.of[id] = values[0], values[3], values[4:]
        if not snapshots:
            self._refuse(result, actor.key)

    def _refuse(self, reason: object, id: int) -> None:
        self._setbacks.report(ScriptError(f"self cannot be carried over: {reason}"), self._world.entity(id))
        raise Failed

    def was_changed(self, entity: Entity) -> bool:
        """True where the game changed the old state since its last tick."""
        actor = entity.actor
        return actor is not None and (actor.changed or actor.key in self._world.loop.changed)

    def start(self, trial: Trial) -> Mail:
        """The mail that starts the entities of a new state with what they carry, or anew."""
        mail: list[Any] = []
        for id, entity in trial.entities.items():
            if id in self.of:
                names, shape, leaves = self.of[id]
                mail += (b"resume", id, entity.version, names, shape, *leaves)
            else:
                shape, leaves = entity.properties
                mail += (b"fill", id, shape, *leaves, b"boot", id)
        return tuple(mail)
