"""Gives mail for the old version of some entities to the new one: each event once, to all that listens to it now."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from engine.lua.actor import Actor, Mail

if TYPE_CHECKING:
    from engine.world import World

# Answers to what a task of the old version asked: that task is gone.
_FOR_OLD_TASKS = (b"reply", b"result", b"callback")


class Forwarding:
    """The mail of one state, taken while its entities still have their old subscriptions."""

    def __init__(self, world: World, old: Actor) -> None:
        self._world = world
        self._mail = world.bus.boxes.take(old)
        self._listened: dict[int, int] = {}  # callback -> entity
        self._watched: dict[int, tuple[int, bytes]] = {}
        for id in old.entities if self._mail else ():
            self._listened |= dict.fromkeys(world.bus.names_of(id), id)
            self._watched |= {callback: (id, key) for callback, key in world.shared.watched(id).items()}

    def requests(self) -> frozenset[int]:
        """The numbers of the requests that nobody has looked at yet: the new version answers them."""
        return frozenset(piece[4] for piece in self._mail if piece[0] == b"request")

    def deliver(self) -> None:
        """Put the mail into the inboxes of the new version, in its order."""
        last: tuple[int, Mail] = (0, ())
        for piece in self._mail:
            kind = piece[0]
            if type(kind) is int:
                last = self._event(kind, piece[1:], last)
            elif kind == b"direct":
                target, name, sender, shape = piece[1:5]
                self._world.bus.post(target, name, sender, self._world.bus.shapes.text(shape), piece[5:])
            elif kind not in _FOR_OLD_TASKS:
                entity = self._world.entity(piece[1])
                if entity is not None and entity.actor is not None:
                    self._world.bus.put(entity.actor, piece)

    def _event(self, callback: int, tail: Mail, last: tuple[int, Mail]) -> tuple[int, Mail]:
        """An event is in the mail once for each callback that heard it, in ascending order: deliver it once."""
        if callback in self._watched:
            self._tell(*self._watched[callback], tail)
            return last
        target = self._listened.get(callback)
        before, same = last
        if target is not None and not (callback > before and tail == same and target == self._listened.get(before)):
            name, sender, shape, *leaves = tail
            if self._world.bus.hears(target, name):
                self._world.bus.post(target, name, sender, self._world.bus.shapes.text(shape), tuple(leaves))
        return callback, tail

    def _tell(self, target: int, key: bytes, tail: Mail) -> None:
        for callback, watched in self._world.shared.watched(target).items():
            if watched == key:
                self._world.bus.deliver(target, callback, tail)


def forwardings(world: World, actors: Iterable[Actor]) -> list[Forwarding]:
    """One for each actor, in order."""
    return [Forwarding(world, actor) for actor in actors]
